import { assert, assertEquals } from "@std/assert";
import { BoundedMap } from "../lib/limits/bounded_map.ts";
import { Bucket } from "../lib/limits/rate.ts";

Deno.test("a bounded map never holds more than its size", () => {
  const map = new BoundedMap((key) => ({ key }), 1000);
  for (let i = 0; i < 100_000; i++) {
    assertEquals(map.get(`${i}`).key, `${i}`);
    assert(map.size <= 1000, `${map.size}`);
  }
});

Deno.test("a bounded map keeps an entry that is in use", () => {
  const map = new BoundedMap((key) => ({ key }), 1000);
  const kept = map.get("kept");
  for (let i = 0; i < 100_000; i++) {
    map.get(`${i}`);
    if (i % 100 === 0) assert(map.get("kept") === kept);
  }
});

Deno.test("a bucket gives its burst at once, and then its rate", () => {
  const bucket = new Bucket({ perSecond: 100, burst: 5 }, 0);
  const taken = (from: number, to: number) => {
    let n = 0;
    for (let now = from; now < to; now++) if (bucket.take(now)) n++;
    return n;
  };
  assertEquals(taken(0, 1000), 5 + 99);
  assertEquals(taken(11_000, 11_005), 5);
});

Deno.test("a bucket with a rate below 1 gives one each time it is due", () => {
  const bucket = new Bucket({ perSecond: 0.5, burst: 1 }, 0);
  assertEquals([0, 1000, 1999, 2000, 3999, 4000].map((t) => bucket.take(t)), [
    true,
    false,
    false,
    true,
    false,
    true,
  ]);
});
