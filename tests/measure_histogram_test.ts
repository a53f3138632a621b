import { assert, assertEquals } from "@std/assert";
import { build } from "hdr-histogram-js";
import { Histogram } from "../lib/measure/histogram.ts";
import { Spread } from "../lib/measure/spread.ts";
import { random } from "./support/helpers.ts";

const PERCENTS = [0, 1, 25, 50, 90, 99, 99.9, 99.99, 100];

/** Whether two values are within 0.1 % of each other, or 1 ns. */
function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= Math.max(1e-6, 0.001 * Math.max(a, b)) + 1e-9;
}

/** Delays in milliseconds: most are near each other, some a thousand times as long. */
function* someDelays(seed: number): Generator<number> {
  const draw = random(seed);
  const next = () => draw(2 ** 30) / 2 ** 30;
  for (let n = 0; n < 20_000; n++) {
    const unit = next() < 0.01 ? 1000 : next() < 0.5 ? 1 : 0.002;
    yield Math.round(-Math.log(1 - next()) * unit * 1e6) / 1e6;
  }
}

Deno.test("percentiles are those of hdr-histogram-js, within 0.1 %", () => {
  for (const seed of [1, 2, 3]) {
    const own = new Histogram();
    const peer = build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: 2 ** 45,
      numberOfSignificantValueDigits: 4,
      bitBucketSize: 64,
    });
    for (const ms of someDelays(seed)) {
      own.record(ms);
      peer.recordValue(Math.round(ms * 1e6));
    }
    own.percentiles(PERCENTS).forEach((ms, index) => {
      const percent = PERCENTS[index]!;
      const theirs = peer.getValueAtPercentile(percent) / 1e6;
      assert(isClose(ms, theirs), `p${percent}: ${ms} and ${theirs}`);
    });
    assert(isClose(own.mean, peer.mean / 1e6));
    assertEquals(own.count, peer.totalCount);
  }
});

Deno.test("each value is found again within 0.05 %, from nanoseconds to a month", () => {
  for (let ms = 1e-6; ms < 3e9; ms *= 1.37) {
    const histogram = new Histogram();
    // The others keep the percentile from being the exact smallest or largest.
    for (const value of [0, ms, ms, 1e10]) histogram.record(value);
    const [found = NaN] = histogram.percentiles([50]);
    const error = Math.abs(found - ms);
    assert(error <= Math.max(0.5e-6, ms * 0.0005) + 1e-9, `${ms}: ${found}`);
  }
});

Deno.test("histograms that are merged are one of all values", () => {
  const all = new Histogram();
  const parts = [new Histogram(), new Histogram(), new Histogram()];
  let n = 0;
  for (const ms of someDelays(4)) {
    all.record(ms);
    parts[n++ % 3]!.record(ms);
  }
  const merged = new Histogram();
  for (const part of parts) merged.merge(part);
  const { mean, ...others } = merged.delays();
  const { mean: wanted, ...theirs } = all.delays();
  assertEquals(others, theirs);
  assert(isClose(mean, wanted));
});

Deno.test("a histogram of nothing has only zeros, and values below 0 count as 0", () => {
  const histogram = new Histogram();
  assertEquals(new Set(Object.values(histogram.delays())), new Set([0]));
  histogram.record(-1);
  assertEquals(histogram.delays().min, 0);
  histogram.clear();
  assertEquals(histogram.delays().count, 0);
});

Deno.test("a spread has the percentiles of values with any zero, below and above it", () => {
  for (const base of [0, -5e11, 1.7e12]) {
    const spread = new Spread();
    const values: number[] = [];
    for (const ms of someDelays(5)) {
      const value = base + ms - (values.length % 2) * 3;
      values.push(value);
      spread.record(value);
    }
    values.sort((a, b) => a - b);
    const least = values[0]!;
    const { p50, p90, p99, max, min, count } = spread.delays(least);
    assertEquals([min, max, count], [0, values.at(-1)! - least, values.length]);
    for (const [share, found] of [[0.5, p50], [0.9, p90], [0.99, p99]]) {
      const wanted = values[Math.ceil(share! * values.length) - 1]! - least;
      // Half a bucket of the distance from the first, and what a sum with such a
      // base can hold.
      const error = Math.abs(found! - wanted);
      assert(error < 0.0005 * (wanted + 10) + 0.001, `${wanted}: ${found}`);
    }
  }
});
