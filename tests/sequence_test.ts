/** Counting numbers: duplicates, and reordering as RFC 4737 has it. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Sequence, type SequenceCounts } from "../lib/measure/sequence.ts";

/** RFC 4737 word by word: with every arrival kept, and each looked at again. */
function byTheBook(numbers: readonly number[]): SequenceCounts {
  const arrived: number[] = [];
  let [duplicates, next] = [0, -Infinity];
  const extents: number[] = [];
  for (const number of numbers) {
    if (arrived.includes(number)) {
      duplicates++;
      continue;
    }
    if (number >= next) next = number + 1;
    else {
      const first = arrived.findIndex((earlier) => earlier > number);
      extents.push(arrived.length - first);
    }
    arrived.push(number);
  }
  return {
    received: numbers.length,
    distinct: arrived.length,
    duplicates,
    tooOld: 0,
    reordered: extents.length,
    maxExtent: Math.max(0, ...extents),
    sumOfExtents: extents.reduce((sum, extent) => sum + extent, 0),
  };
}

function counted(numbers: readonly number[], maxGaps?: number): SequenceCounts {
  const sequence = new Sequence(maxGaps);
  for (const number of numbers) sequence.add(number);
  return sequence.counts;
}

Deno.test("an arrival is in order, reordered, a duplicate, or too old", () => {
  const sequence = new Sequence(1);
  const seen = [5, 7, 6, 7, 4, 9, 7, 8, 8].map((n) => sequence.add(n));
  assertEquals(seen, [
    "in order",
    "in order",
    "reordered",
    "duplicate",
    // The one gap that is kept was the one before 7.
    "too old",
    "in order",
    "duplicate",
    "reordered",
    "duplicate",
  ]);
});

Deno.test("an extent is how many arrivals ago the first later number came", () => {
  // Numbers as they arrive, and the extent of each that was reordered.
  const examples: [
    numbers: number[],
    count: number,
    max: number,
    sum: number,
  ][] = [
    [[1, 2, 3, 7, 4, 5, 6, 8, 9, 10], 3, 3, 1 + 2 + 3],
    [[1, 2, 3, 4, 6, 5, 7, 8], 1, 1, 1],
    [[1, 4, 2, 5, 3, 6, 7, 8], 2, 3, 1 + 3],
  ];
  for (const [numbers, reordered, maxExtent, sumOfExtents] of examples) {
    const { received: _, distinct: __, duplicates, tooOld, ...found } = counted(
      numbers,
    );
    assertEquals(found, { reordered, maxExtent, sumOfExtents });
    assertEquals([duplicates, tooOld], [0, 0]);
  }
});

Deno.test("any arrivals are counted as the book has it, also across the wrap", () => {
  fc.assert(fc.property(
    fc.array(fc.nat(60), { maxLength: 80 }),
    fc.constantFrom(0, 1000, 2 ** 31 - 20, 2 ** 32 - 20),
    (numbers, start) => {
      const wrapped = numbers.map((n) => (start + n) % 2 ** 32);
      assertEquals(counted(wrapped), byTheBook(numbers));
    },
  ));
});

Deno.test("losses, duplicates and late ones over two wraps of 32 bits are exact", () => {
  const sequence = new Sequence();
  // A stride that divides 2^32, less one: each loses the numbers in between.
  const stride = 2 ** 20;
  let arrivals = 0;
  for (let n = 0; n < 2 * 2 ** 32; n += stride) {
    sequence.add(n % 2 ** 32);
    sequence.add(n % 2 ** 32);
    if (n > 0) sequence.add((n - 1) % 2 ** 32);
    arrivals++;
  }
  assertEquals(sequence.counts, {
    received: 3 * arrivals - 1,
    distinct: 2 * arrivals - 1,
    duplicates: arrivals,
    tooOld: 0,
    reordered: arrivals - 1,
    maxExtent: 1,
    sumOfExtents: arrivals - 1,
  });
});

Deno.test("with too many gaps the oldest are forgotten, and nothing is guessed", () => {
  const numbers = Array.from({ length: 100 }, (_, i) => i * 2);
  const late = numbers.map((n) => n + 1);
  // The last of the late ones is the newest of all.
  const found = counted([...numbers, ...late], 10);
  assertEquals(found.received, 200);
  assertEquals(found.distinct, 111);
  assertEquals(found.tooOld, 89);
  assertEquals(found.duplicates, 0);
  assertEquals(found.distinct + found.duplicates + found.tooOld, 200);
});
