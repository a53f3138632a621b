/** Finding the shortest part of a list that fails. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { minimize } from "../lib/testing/search/minimize.ts";

const numbers = (length: number) => Array.from({ length }, (_, n) => n);

Deno.test("what is needed is found, and nothing else is kept", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 60 }).chain((length) =>
        fc.tuple(fc.constant(length), fc.subarray(numbers(length)))
      ),
      async ([length, needed]) => {
        let asked = 0;
        const least = await minimize(numbers(length), (part) => {
          asked++;
          return Promise.resolve(needed.every((item) => part.includes(item)));
        });
        assertEquals(least, needed);
        assert(asked <= 3 * length * Math.max(needed.length, 1) + 50);
      },
    ),
  );
});

Deno.test("without any one item of what is found, it does not fail", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat({ max: 40 }), { minLength: 1 }),
      fc.integer({ min: 1, max: 60 }),
      async (items, sum) => {
        const fails = (part: readonly number[]) =>
          Promise.resolve(part.reduce((a, b) => a + b, 0) >= sum);
        fc.pre(await fails(items));
        const least = await minimize(items, fails);
        assert(await fails(least));
        for (const item of least) {
          assert(!await fails(least.filter((other) => other !== item)));
        }
      },
    ),
  );
});

Deno.test("what is thrown when a part is tried ends it", async () => {
  const enough = new Error("enough");
  let asked = 0;
  const error = await minimize(numbers(100_000), (part) => {
    if (++asked === 3) return Promise.reject(enough);
    return Promise.resolve(part.includes(1));
  }).catch((error) => error);
  assert(error === enough);
});
