import type { Delays } from "./result.ts";

// So many buckets per power of two: their width is at most 1/1024 of a value.
const BITS = 10;
const HALF = 2 ** BITS;
const NANOSECONDS_PER_MS = 1e6;

/**
 * Counts values by size, in bounded memory: a log-linear histogram. Values are
 * milliseconds and are kept in nanoseconds, from 0 to 104 days. Percentiles are
 * exact below 2 microseconds, and elsewhere off by at most 0.05 %: half the width
 * of a bucket. The smallest and the largest value, their number and their mean
 * are exact.
 */
export class Histogram {
  // One array per power of two, made when it is needed: at most 44.
  readonly #counts: (Float64Array<ArrayBuffer> | undefined)[] = [];
  #count = 0;
  #sum = 0;
  #min = Infinity;
  #max = -Infinity;

  /** How many values it has. */
  get count(): number {
    return this.#count;
  }

  /** The smallest value in milliseconds; `Infinity` without any. */
  get min(): number {
    return this.#min;
  }

  /** The largest value in milliseconds; `-Infinity` without any. */
  get max(): number {
    return this.#max;
  }

  /** The mean in milliseconds; 0 without any. */
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** Adds a value in milliseconds. One below 0 is counted as 0. */
  record(ms: number): void {
    const value = ms > 0 ? ms : 0;
    this.#count++;
    this.#sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    const nanoseconds = Math.min(
      Math.round(value * NANOSECONDS_PER_MS),
      Number.MAX_SAFE_INTEGER,
    );
    const shift = shiftOf(nanoseconds);
    const counts = this.#counts[shift] ??= new Float64Array(2 * HALF);
    counts[Math.floor(nanoseconds / 2 ** shift)]! += 1;
  }

  /** Adds all values of another one. */
  merge(other: Histogram): void {
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
    for (const [shift, counts] of other.#counts.entries()) {
      if (counts === undefined) continue;
      const own = this.#counts[shift] ??= new Float64Array(2 * HALF);
      counts.forEach((count, index) => own[index]! += count);
    }
  }

  /** Forgets all values. */
  clear(): void {
    for (const counts of this.#counts) counts?.fill(0);
    this.#count = this.#sum = 0;
    this.#min = Infinity;
    this.#max = -Infinity;
  }

  /**
   * Returns values in milliseconds that so many percent of all values do not
   * exceed.
   *
   * @param percents From 0 to 100, in ascending order.
   */
  percentiles(percents: readonly number[]): number[] {
    if (this.#count === 0) return percents.map(() => 0);
    const found: number[] = [];
    let passed = 0;
    for (const [low, width, count] of this.#buckets()) {
      passed += count;
      while (
        found.length < percents.length &&
        passed >= rank(percents[found.length]!, this.#count)
      ) {
        // The middle of what the bucket stands for.
        const middle = (low + (width - 1) / 2) / NANOSECONDS_PER_MS;
        found.push(Math.min(Math.max(middle, this.#min), this.#max));
      }
    }
    while (found.length < percents.length) found.push(this.#max);
    return found;
  }

  /**
   * Returns the values in bars, from the smallest to the largest: how many are up
   * to each end. For drawing.
   */
  *bars(): IterableIterator<{ fromMs: number; toMs: number; count: number }> {
    for (const [low, width, count] of this.#buckets()) {
      const fromMs = low / NANOSECONDS_PER_MS;
      yield { fromMs, toMs: (low + width) / NANOSECONDS_PER_MS, count };
    }
  }

  /** Returns how the values are distributed. */
  delays(): Delays {
    if (this.#count === 0) return NO_DELAYS;
    const [p50 = 0, p90 = 0, p99 = 0, p999 = 0, p9999 = 0] = this.percentiles(
      PERCENTS,
    );
    return {
      count: this.#count,
      min: this.#min,
      mean: this.mean,
      ...{ p50, p90, p99, p999, p9999 },
      max: this.#max,
    };
  }

  /** The buckets that have values, the lowest first, in nanoseconds. */
  *#buckets(): IterableIterator<[low: number, width: number, count: number]> {
    for (const [shift, counts] of this.#counts.entries()) {
      if (counts === undefined) continue;
      const width = 2 ** shift;
      for (let index = 0; index < counts.length; index++) {
        if (counts[index]! > 0) yield [index * width, width, counts[index]!];
      }
    }
  }
}

/** The percentiles of {@linkcode Delays}. */
export const PERCENTS: readonly number[] = [50, 90, 99, 99.9, 99.99];

/** The delays of nothing. */
export const NO_DELAYS: Delays = {
  count: 0,
  min: 0,
  mean: 0,
  p50: 0,
  p90: 0,
  p99: 0,
  p999: 0,
  p9999: 0,
  max: 0,
};

/** The rank of a percentile among so many values, from 1. */
export function rank(percent: number, count: number): number {
  // 99.9 % of 1000 is 999, and not 999.0000000000001.
  return Math.max(1, Math.ceil(percent * count / 100 - 1e-9));
}

/** By how many bits a value is shifted so that it is an index of a bucket. */
function shiftOf(nanoseconds: number): number {
  if (nanoseconds < 2 * HALF) return 0;
  const high = Math.floor(nanoseconds / 2 ** 31);
  const length = high > 0
    ? 63 - Math.clz32(high)
    : 32 - Math.clz32(nanoseconds);
  return length - BITS - 1;
}
