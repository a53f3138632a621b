/** Faults with a memory or a shape: bursts, copies after copies, delays. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { checkFaults, type Faults } from "../lib/testing/faults.ts";
import { Link } from "../lib/testing/link.ts";

const COUNT = 50_000;
const SIZE = 100;

/** The passages of datagrams that are sent a second apart. */
function crossings(faults: Faults, seed = 1, count = COUNT) {
  const link = new Link(seed, faults);
  return Array.from({ length: count }, (_, n) => link.cross(SIZE, n * 1000));
}

function losses(faults: Faults, seed = 1): boolean[] {
  return crossings(faults, seed).map(([{ fate }]) => fate === "lost");
}

function delays(delayMs: Faults["delayMs"], seed = 1): number[] {
  return crossings({ delayMs }, seed).map(([{ at }], n) => at - n * 1000);
}

/** The lengths of all rows of what is true. */
function rows(happened: readonly boolean[]): number[] {
  const text = happened.map((is) => is ? "x" : " ").join("");
  return text.split(/ +/).filter((row) => row !== "").map(({ length }) =>
    length
  );
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0) / numbers.length;
}

function assertNear(value: number, expected: number, tolerance = 0.1): void {
  const off = Math.abs(value / expected - 1);
  assert(off <= tolerance, `${value}, not ${expected}`);
}

Deno.test("a seed decides what it decided before there were bursts and distributions", () => {
  const link = new Link(7, {
    ...{ loss: 0.1, duplicate: 0.1, reorder: 0.1, corrupt: 0.1, mtu: 1400 },
    ...{ delayMs: { min: 10, max: 60 }, bandwidth: 1e6, queue: 20 },
  });
  let hash = 0x811c9dc5;
  for (let n = 0; n < 10_000; n++) {
    const text = JSON.stringify(link.cross(n % 1500, n * 5));
    for (let i = 0; i < text.length; i++) {
      hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    }
  }
  assertEquals(hash >>> 0, 2_269_944_537);
});

for (const seed of [1, 2, 3]) {
  Deno.test(`bursts are as frequent and as long as configured (seed ${seed})`, () => {
    const burst = { enter: 0.02, leave: 0.25 };
    const lost = losses({ burst }, seed);
    // The share of time in a burst: enter / (enter + leave).
    assertNear(mean(lost.map(Number)), 0.02 / 0.27);
    assertNear(mean(rows(lost)), 1 / 0.25);
    const rarely = losses({ burst: { ...burst, loss: 0.5 } }, seed);
    assertNear(mean(rarely.map(Number)), 0.01 / 0.27);
  });
}

Deno.test("loss happens besides bursts, and to the same datagrams as without them", () => {
  const alone = losses({ loss: 0.05 });
  const both = losses({ loss: 0.05, burst: { enter: 0.01, leave: 0.1 } });
  assert(alone.every((lost, n) => !lost || both[n]));
  assertNear(mean(both.map(Number)), 1 - 0.95 * (10 / 11));
});

Deno.test("a burst that never ends loses everything, and loss 0 ends it", () => {
  const link = new Link(1, { burst: { enter: 1, leave: 0 } });
  const fate = () => link.cross(SIZE, 0)[0].fate;
  assertEquals([fate(), fate()], ["lost", "lost"]);
  link.set({ burst: { enter: 0, leave: 0 } });
  assertEquals(fate(), "lost");
  link.set({ burst: { enter: 0, leave: 1, loss: 0 } });
  assertEquals(fate(), "passed");
  link.set({ burst: { enter: 0, leave: 0 } });
  assertEquals(fate(), "passed");
});

Deno.test("a burst loses a datagram and its copy", () => {
  const faults: Faults = { duplicate: 1, burst: { enter: 0.1, leave: 0.5 } };
  for (const [first, copy] of crossings(faults)) {
    assertEquals(first.fate, copy?.fate);
  }
});

Deno.test("duplicateAgain is the probability after a datagram that arrived twice", () => {
  const twice = (faults: Faults) =>
    crossings(faults).map((passages) => passages.length === 2);
  const again = twice({ duplicate: 0.01, duplicateAgain: 0.8 });
  assertNear(mean(rows(again)), 1 / 0.2);
  const after = again.filter((_, n) => again[n - 1]);
  assertNear(mean(after.map(Number)), 0.8);
  assertEquals(mean(rows(twice({ duplicate: 0.3, duplicateAgain: 0 }))), 1);
  assertEquals(
    twice({ duplicate: 0.3 }),
    twice({ duplicate: 0.3, duplicateAgain: 0.3 }),
  );
});

Deno.test("a normal delay has its mean and its deviation", () => {
  for (const seed of [1, 2, 3]) {
    const all = delays({ mean: 100, deviation: 10 }, seed);
    assertNear(mean(all), 100, 0.01);
    assertNear(Math.sqrt(mean(all.map((ms) => (ms - 100) ** 2))), 10, 0.03);
    // Of a normal distribution 68.3 % are within one deviation, 95.4 % within two.
    const within = (ms: number) =>
      mean(all.map((delay) => Number(Math.abs(delay - 100) < ms)));
    assertNear(within(10), 0.683, 0.02);
    assertNear(within(20), 0.954, 0.01);
  }
});

Deno.test("a normal delay is never below 0", () => {
  const all = delays({ mean: 5, deviation: 10 });
  assertEquals(Math.min(...all), 0);
  assertNear(mean(all.map((ms) => Number(ms === 0))), 0.31);
  const huge = delays({ mean: Number.MAX_VALUE, deviation: Number.MAX_VALUE });
  assert(huge.every(Number.isFinite));
});

Deno.test("a list of delays has each as often as its weight says", () => {
  const list = [{ ms: 20, weight: 6 }, { ms: 300, weight: 0 }, { ms: 80 }, {
    ms: 0,
    weight: 3,
  }];
  const all = delays(list);
  for (const { ms, weight = 1 } of list) {
    const share = mean(all.map((delay) => Number(delay === ms)));
    if (weight === 0) assertEquals(share, 0);
    else assertNear(share, weight / 10);
  }
});

Deno.test("the distribution of delays changes no other fate", () => {
  const faults = { loss: 0.2, duplicate: 0.2, corrupt: 0.2 };
  const fates = (delayMs: Faults["delayMs"]) =>
    crossings({ ...faults, delayMs }, 1, 2000).map((passages) =>
      passages.map(({ fate, flippedBit }) => [fate, flippedBit])
    );
  const evenly = fates({ min: 0, max: 9 });
  assertEquals(fates({ mean: 9, deviation: 3 }), evenly);
  assertEquals(fates([{ ms: 3 }, { ms: 4 }]), evenly);
});

Deno.test("the same seed gives the same bursts and delays", () => {
  const faults: Faults = {
    burst: { enter: 0.1, leave: 0.3 },
    delayMs: { mean: 50, deviation: 20 },
    duplicate: 0.1,
    duplicateAgain: 0.7,
  };
  assertEquals(crossings(faults, 7, 2000), crossings(faults, 7, 2000));
});

Deno.test("faults are copied when they are set, lists and bursts too", () => {
  const list = [{ ms: 20 }];
  const burst = { enter: 0, leave: 1 };
  const link = new Link(1, { delayMs: list, burst });
  list[0]!.ms = 9;
  list.push({ ms: 9 });
  burst.enter = 1;
  assertEquals(link.cross(SIZE, 0), [{ fate: "passed", at: 20 }]);
});

const RANGE = "must be a number from 0";
const WRONG: [Record<string, unknown>, string][] = [
  [{ burst: {} }, `burst.enter ${RANGE} to 1: given undefined`],
  [{ burst: 0.1 }, `burst.enter ${RANGE} to 1: given undefined`],
  [
    { burst: { enter: 0.1, leave: 2 } },
    `burst.leave ${RANGE} to 1: given 2`,
  ],
  [
    { burst: { enter: 0.1, leave: 0.1, loss: NaN } },
    `burst.loss ${RANGE} to 1: given NaN`,
  ],
  [{ duplicateAgain: -1 }, `duplicateAgain ${RANGE} to 1: given -1`],
  [{ delayMs: { mean: 5 } }, `delayMs.deviation ${RANGE}: given undefined`],
  [
    { delayMs: { mean: -5, deviation: 1 } },
    `delayMs.mean ${RANGE}: given -5`,
  ],
  [
    { delayMs: { mean: 1, deviation: Infinity } },
    `delayMs.deviation ${RANGE}: given Infinity`,
  ],
  [
    { delayMs: { mean: 1, deviation: 1, min: 0 } },
    "delayMs must have min and max, or mean and deviation, or be a list: " +
    'given "mean, deviation, min"',
  ],
  [{ delayMs: [] }, "delayMs must have 1 to 10000 times: given 0"],
  [
    { delayMs: new Array(1e9) },
    "delayMs must have 1 to 10000 times: given 1000000000",
  ],
  [{ delayMs: new Array(2) }, `delayMs[0].ms ${RANGE}: given undefined`],
  [{ delayMs: [20] }, `delayMs[0].ms ${RANGE}: given undefined`],
  [{ delayMs: [{ ms: 1 }, { ms: NaN }] }, `delayMs[1].ms ${RANGE}: given NaN`],
  [
    { delayMs: [{ ms: 1, weight: NaN }] },
    `delayMs[0].weight ${RANGE}: given NaN`,
  ],
  [
    { delayMs: [{ ms: 1, weight: 0 }, { ms: 2, weight: 0 }] },
    "the sum of all weights of delayMs must be a finite number above 0: given 0",
  ],
  [
    { delayMs: [{ ms: 1, weight: 1e308 }, { ms: 2, weight: 1e308 }] },
    "the sum of all weights of delayMs must be a finite number above 0: given Infinity",
  ],
];
for (const [faults, says] of WRONG) {
  Deno.test(`an invalid shape is rejected: ${says.slice(0, 55)}`, () => {
    assertThrows(() => checkFaults(faults), RangeError, says);
  });
}

Deno.test("a name that a burst does not have is rejected", () => {
  const burst = { enter: 0.1, leave: 0.1, los: 1 };
  assertThrows(() => checkFaults({ burst }), TypeError, 'given "los"');
});
