import { assert, assertEquals, assertThrows } from "@std/assert";
import { checkFaults, type Faults } from "../lib/testing/faults.ts";
import { flipBit, Link, type Passage, seedOf } from "../lib/testing/link.ts";
import { shown } from "../lib/check.ts";
import { pattern } from "./support/helpers.ts";

/** The passages of one datagram. */
type Passages = ReturnType<Link["cross"]>;

const SEEDS = [1, 2, 3, 4, 5];
const DRAWS = 10_000;
const SIZE = 100;

/** The passages of `count` datagrams that are sent a second apart. */
function crossings(
  faults: Faults,
  { seed = 1, count = DRAWS, size = SIZE } = {},
): Passages[] {
  const link = new Link(seed, faults);
  return Array.from(
    { length: count },
    (_, n) => link.cross(size, n * 1000),
  );
}

/** The number that was seen is probable: within 4 standard deviations. */
function assertRate(seen: number, draws: number, probability: number): void {
  const deviation = Math.sqrt(draws * probability * (1 - probability));
  const off = Math.abs(seen - draws * probability);
  assert(off <= 4 * deviation, `${seen} of ${draws} at ${probability}`);
}

const HAPPENED: Record<string, (passages: Passages, n: number) => boolean> = {
  loss: ([{ fate }]) => fate === "lost",
  duplicate: (passages) => passages.length === 2,
  corrupt: ([{ flippedBit }]) => flippedBit !== undefined,
  reorder: ([{ at }], n) => at > n * 1000,
};

for (const [fault, happened] of Object.entries(HAPPENED)) {
  for (const probability of [0.01, 0.1, 0.5, 0.9]) {
    Deno.test(`${fault} ${probability} happens to that share of 10,000, whatever the seed`, () => {
      for (const seed of SEEDS) {
        const seen = crossings({ [fault]: probability }, { seed })
          .filter(happened).length;
        assertRate(seen, DRAWS, probability);
      }
    });
  }

  Deno.test(`${fault} 0 never happens, ${fault} 1 always`, () => {
    const seen = (probability: number) =>
      crossings({ [fault]: probability }).filter(happened).length;
    assertEquals([seen(0), seen(1)], [0, DRAWS]);
  });
}

Deno.test("without faults each datagram passes once, at once, unchanged", () => {
  for (const [n, passages] of crossings({}).entries()) {
    assertEquals(passages, [{ fate: "passed", at: n * 1000 }]);
  }
});

Deno.test("a copy is lost or passes independently of its original", () => {
  const both = crossings({ duplicate: 1, loss: 0.5 });
  const lost = ({ fate }: Passage) => fate === "lost";
  assertRate(both.filter(([_, copy]) => lost(copy!)).length, DRAWS, 0.5);
  const lostTogether = both.filter((passages) => passages.every(lost));
  assertRate(lostTogether.length, DRAWS, 0.25);
});

Deno.test("delays spread evenly from the least to the most", () => {
  const delayMs = { min: 20, max: 80 };
  const quarters = [0, 0, 0, 0];
  for (const [n, [{ at }]] of crossings({ delayMs }).entries()) {
    const delay = at - n * 1000;
    assert(delay >= 20 && delay < 80, `${delay}`);
    quarters[Math.floor((delay - 20) / 15)]!++;
  }
  for (const seen of quarters) assertRate(seen, DRAWS, 0.25);
});

Deno.test("each bit of a datagram is flipped with the same probability", () => {
  const seen = new Array(16).fill(0);
  for (const [{ flippedBit }] of crossings({ corrupt: 1 }, { size: 2 })) {
    seen[flippedBit!]++;
  }
  for (const times of seen) assertRate(times, DRAWS, 1 / 16);
});

Deno.test("an empty datagram is never corrupted", () => {
  for (const passages of crossings({ corrupt: 1 }, { size: 0 })) {
    assertEquals(passages[0].flippedBit, undefined);
  }
});

Deno.test("flipBit changes that bit, in a copy", () => {
  const bytes = pattern(4);
  for (let bit = 0; bit < 32; bit++) {
    const expected = pattern(4);
    expected[bit >> 3]! ^= 1 << bit % 8;
    assertEquals(flipBit(bytes, bit), expected);
  }
  assertEquals(bytes, pattern(4));
});

const MIX: Faults = {
  loss: 0.2,
  duplicate: 0.2,
  reorder: 0.2,
  corrupt: 0.2,
  delayMs: { min: 10, max: 60 },
};

/** What was decided about a datagram; `undefined` if its loss hides it. */
function decided([{ fate, at, flippedBit }, copy]: Passages) {
  const passed = fate === "passed";
  return {
    lost: fate === "lost",
    twice: copy !== undefined,
    wrongBit: passed ? flippedBit ?? "none" : undefined,
    arrival: passed ? at : undefined,
  };
}

// A change, and the decisions that it must not change.
const CHANGES: [Faults, (keyof ReturnType<typeof decided>)[]][] = [
  [{ loss: 0 }, ["twice", "wrongBit", "arrival"]],
  [{ loss: 0.7 }, ["twice", "wrongBit", "arrival"]],
  [{ duplicate: 0 }, ["lost", "wrongBit", "arrival"]],
  [{ duplicate: 0.7 }, ["lost", "wrongBit", "arrival"]],
  [{ reorder: 0.7 }, ["lost", "twice", "wrongBit"]],
  [{ corrupt: 0.7 }, ["lost", "twice", "arrival"]],
  [{ delayMs: { min: 0, max: 0 } }, ["lost", "twice", "wrongBit"]],
  [{ bandwidth: 1e9 }, ["lost", "twice", "wrongBit"]],
  [{ mtu: SIZE - 1 }, ["twice"]],
];
for (const [change, others] of CHANGES) {
  Deno.test(`${JSON.stringify(change)} does not change what the other faults decide`, () => {
    const before = crossings(MIX).map(decided);
    const after = crossings({ ...MIX, ...change }).map(decided);
    for (const other of others) {
      for (const [n, decisions] of before.entries()) {
        const values = [decisions[other], after[n]?.[other]];
        if (values.includes(undefined)) continue;
        assertEquals(values[1], values[0], `${other} of ${n}`);
      }
    }
  });
}

Deno.test("the same seed decides the same, another seed differently", () => {
  assertEquals(crossings(MIX, { seed: 7 }), crossings(MIX, { seed: 7 }));
  const [a, b] = [7, 8].map((seed) =>
    crossings(MIX, { seed }).map(([{ fate }]) => fate).join()
  );
  assert(a !== b);
});

Deno.test("set changes faults from then on, and those not given stay", () => {
  const link = new Link(1, { loss: 1, mtu: 200 });
  assertEquals(link.cross(SIZE, 0)[0].fate, "lost");
  link.set({ loss: 0, mtu: undefined });
  assertEquals(link.cross(SIZE, 0)[0].fate, "passed");
  assertEquals(link.cross(201, 0)[0].fate, "overMtu");
});

Deno.test("the first datagrams of many links fail as often as others, independently", () => {
  const probability = 0.25;
  const group = 8;
  let sum = 0;
  let squares = 0;
  const groups = 1000;
  for (let seed = 1; seed <= groups; seed++) {
    let twice = 0;
    for (let n = 1; n <= group; n++) {
      const link = new Link(seedOf(seed, `up ${n}`), {
        duplicate: probability,
      });
      if (link.cross(SIZE, 0).length === 2) twice++;
    }
    sum += twice;
    squares += twice ** 2;
  }
  assertRate(sum, groups * group, probability);
  const variance = squares / groups - (sum / groups) ** 2;
  const expected = group * probability * (1 - probability);
  assert(Math.abs(variance / expected - 1) < 0.2, `${variance}`);
});

const WRONG: [Record<string, unknown>, string][] = [
  ...["loss", "duplicate", "reorder", "corrupt"].flatMap((name) =>
    [-0.1, 1.1, NaN, Infinity, "10%"].map((value) =>
      [
        { [name]: value },
        `${name} must be a number from 0 to 1: given ${shown(value)}`,
      ] as [Record<string, unknown>, string]
    )
  ),
  [
    { delayMs: { min: -1, max: 1 } },
    "delayMs.min must be a number from 0 to 1: given -1",
  ],
  [
    { delayMs: { min: 2, max: 1 } },
    "delayMs.min must be a number from 0 to 1: given 2",
  ],
  [
    { delayMs: { min: 0, max: Infinity } },
    "delayMs.max must be a number from 0: given Infinity",
  ],
  [
    { delayMs: { min: NaN, max: 1 } },
    "delayMs.min must be a number from 0 to 1: given NaN",
  ],
  [{ delayMs: null }, "delayMs.max must be a number from 0: given undefined"],
  [{ delayMs: "20ms" }, "delayMs.max must be a number from 0: given undefined"],
  [{ mtu: 0 }, "mtu must be a number above 0: given 0"],
  [{ bandwidth: -1 }, "bandwidth must be a number above 0: given -1"],
  [{ queue: NaN }, "queue must be a number above 0: given NaN"],
];
for (const [faults, says] of WRONG) {
  Deno.test(`a fault out of range is rejected: ${says}`, () => {
    assertThrows(() => checkFaults(faults), RangeError, says);
    const link = new Link(1, { loss: 1 });
    assertThrows(() => link.set(faults), RangeError, says);
    assertEquals(link.cross(SIZE, 0)[0].fate, "lost");
  });
}

Deno.test("a fault that is undefined keeps its default", () => {
  assertEquals(
    checkFaults({ loss: undefined, mtu: undefined }),
    checkFaults({}),
  );
});
