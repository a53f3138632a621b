import { assert, assertEquals } from "@std/assert";
import { preciseClock } from "../lib/testing/precise_clock.ts";

Deno.test("the precise clock calls back in the order of the times, and never early", async () => {
  const start = preciseClock.now();
  const called: number[] = [];
  const all = Promise.withResolvers<void>();
  for (const ms of [7.5, 0, 3, 0.4, 3]) {
    preciseClock.after(ms, () => {
      assert(preciseClock.now() >= start + ms);
      if (called.push(ms) === 5) all.resolve();
    });
  }
  await all.promise;
  assertEquals(called, [0, 0.4, 3, 3, 7.5]);
});

Deno.test("the precise clock calls nothing back that was canceled, near or far", async () => {
  const done = Promise.withResolvers<void>();
  const called: string[] = [];
  const near = preciseClock.after(0.1, () => called.push("near"));
  const far = preciseClock.after(5, () => called.push("far"));
  near();
  far();
  preciseClock.after(7, done.resolve);
  await done.promise;
  assertEquals(called, []);
});

Deno.test("a callback of the precise clock may wait again and again", async () => {
  const done = Promise.withResolvers<void>();
  let times = 0;
  const again = () =>
    void preciseClock.after(
      0.05,
      () => ++times === 50 ? done.resolve() : again(),
    );
  again();
  await done.promise;
  assertEquals(times, 50);
});
