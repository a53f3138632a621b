import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type RateSearchOptions,
  type RateSearchResult,
  type RateTrial,
  reflect,
  searchRate,
} from "../lib/measure.ts";
import { RateBounds } from "../lib/measure/rate_bounds.ts";
import { type Faults, simulateNetwork } from "../lib/testing/mod.ts";

const REFLECTOR = "udp://10.0.0.1:62862";
// The simulated network counts IP and UDP headers.
const BITS = (1000 + 28) * 8;

/** Searches on a simulated network with these faults towards the reflector. */
async function searched(
  up: Faults,
  options: RateSearchOptions = {},
): Promise<RateSearchResult> {
  const network = simulateNetwork({ seed: 7 });
  network.set(up, { to: "10.0.0.1" });
  return await network.run(async () => {
    await using _reflector = reflect(REFLECTOR, {
      carrier: network,
      allow: ["10.0.0.2"],
    });
    return await searchRate(REFLECTOR, {
      carrier: network.host("10.0.0.2"),
      size: 1000,
      ...options,
    });
  });
}

function isWithin(part: number, value: number, wanted: number): void {
  assert(
    Math.abs(value - wanted) <= wanted * part,
    `${value} instead of ${wanted}`,
  );
}

for (
  const [what, queue, bandwidth] of [
    ["short", 20, 1e6],
    ["long", 1000, 3e6],
    ["endless", 1e6, 2e6],
  ] as const
) {
  Deno.test(`a search comes within 3 % of the bandwidth of a link with a ${what} queue`, async () => {
    const result = await searched({ bandwidth, queue });
    isWithin(0.03, result.rate * BITS, bandwidth);
    assertEquals([result.confirmed, result.limit], [true, "path"]);
    assert(result.upper! > result.rate);
    assertEquals(result.trials.at(-1)?.outcome, "passed");
    assertEquals(result.trials.at(-1)?.confirms, true);
  });
}

Deno.test("a search tries the highest rate first, and is done if the path carries it", async () => {
  const result = await searched({ delayMs: { min: 5, max: 20 } }, {
    bitsPerSecond: 8e6,
  });
  assertEquals(result.rate, 1000);
  assertEquals(result.bitsPerSecond, 8e6);
  assertEquals([result.confirmed, result.limit], [true, "highest"]);
  assertEquals(result.upper, undefined);
  assertEquals(result.trials.length, 2);
});

Deno.test("a search tells a loss that is allowed from one that is not", async () => {
  const options = { rate: 200, trialMs: 10_000 };
  const allowed = await searched({ loss: 0.01 }, { ...options, maxLoss: 0.05 });
  assertEquals(allowed.rate, 200);
  const not = await searched({ loss: 0.5 }, { ...options, maxLoss: 0.05 });
  assertEquals([not.rate, not.confirmed], [0, false]);
  assertEquals(not.trials[0]?.outcome, "lost");
});

Deno.test("a search ends after one trial if nobody answers", async () => {
  const result = await searched({ loss: 1 });
  assertEquals([result.rate, result.confirmed], [0, false]);
  assertEquals(result.trials.length, 1);
});

Deno.test("a search that is stopped gives what is known, and is not confirmed", async () => {
  const controller = new AbortController();
  const seen: RateTrial[] = [];
  const result = await searched({ bandwidth: 10e6 }, {
    signal: controller.signal,
    onTrial(trial) {
      seen.push(trial);
      if (seen.length === 3) controller.abort();
    },
  });
  assertEquals(result.trials, seen);
  assertEquals(seen.length, 3);
  assertEquals([result.rate, result.confirmed], [400, false]);
});

Deno.test("an onTrial that throws or rejects changes nothing", async () => {
  for (
    const onTrial of [
      () => {
        throw new Error("thrown");
      },
      (async () => {
        await Promise.resolve();
        throw new Error("rejected");
      }) as () => void,
    ]
  ) {
    const errors: unknown[] = [];
    const result = await searched({}, {
      rate: 100,
      onTrial,
      onError: (error) => errors.push(error),
    });
    assertEquals([result.rate, result.confirmed], [100, true]);
    assertEquals(errors.length, 2);
  }
});

Deno.test("bounds come nearer by halves, and end at the resolution", () => {
  const options = { first: 100, highest: 1e9, lowest: 5, resolution: 0.01 };
  for (const carried of [6, 99, 100, 150, 12_345, 1e8]) {
    const bounds = new RateBounds(options);
    let trials = 0;
    for (let rate; (rate = bounds.next) !== undefined; trials++) {
      bounds.record(rate, rate <= carried);
    }
    assert(bounds.lower <= carried && carried < bounds.upper!);
    assert(bounds.upper! - bounds.lower <= bounds.upper! * 0.01);
    assert(trials < 40, `${trials} trials`);
  }
});

Deno.test("bounds end at the highest and the lowest rate", () => {
  const options = { first: 100, highest: 700, lowest: 5, resolution: 0.01 };
  for (const passes of [true, false]) {
    const bounds = new RateBounds(options);
    for (let rate; (rate = bounds.next) !== undefined;) {
      bounds.record(rate, passes);
    }
    assertEquals(
      [bounds.lower, bounds.upper],
      passes ? [700, undefined] : [0, 5],
    );
  }
});

Deno.test("a search refuses options that are wrong", async () => {
  const wrong = [
    { maxLoss: 1 },
    { maxLoss: NaN },
    { resolution: 0 },
    { trialMs: Infinity },
    { trialMs: 0 },
    { confirmMs: -1 },
    { rate: 0 },
    { rate: 1, bitsPerSecond: 1 },
    { size: 1 },
    { onTrial: 1 },
  ];
  for (const options of wrong) {
    let error: unknown;
    await searchRate("udp://127.0.0.1:9", options as RateSearchOptions)
      .catch((thrown) => error = thrown);
    assertThrows(() => {
      throw error;
    }, error instanceof RangeError ? RangeError : TypeError);
  }
});
