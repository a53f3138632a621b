import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Timeline } from "../lib/testing/timeline.ts";

Deno.test("a timeline gives any items by time, those of one time as they were added", () => {
  const operation = fc.oneof(
    { weight: 3, arbitrary: fc.nat(9) },
    {
      weight: 1,
      arbitrary: fc.constantFrom("take" as const, "clear" as const),
    },
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const timeline = new Timeline<string>();
      let model: { at: number; item: string }[] = [];
      for (const [n, operation] of operations.entries()) {
        if (typeof operation === "number") {
          timeline.add(`${n}`, operation);
          model.push({ at: operation, item: `${n}` });
          model = model.toSorted((a, b) => a.at - b.at);
        } else if (operation === "take") {
          const taken = timeline.take();
          assertEquals(
            taken && { at: taken.at, item: taken.item },
            model.shift(),
          );
        } else {
          assertEquals(timeline.clear(), model.map(({ item }) => item));
          model = [];
        }
        assertEquals(timeline.length, model.length);
        assertEquals(timeline.next, model[0]?.at ?? Infinity);
      }
    }),
  );
});
