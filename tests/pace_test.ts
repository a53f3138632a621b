import { assertEquals } from "@std/assert";
import { pace } from "../lib/programs/pace.ts";

/** Replaces timers by a list of their times, until the end of the block. */
function fakeTimers() {
  const { setTimeout } = globalThis;
  const times: number[] = [];
  const replace = (value: unknown) =>
    Object.defineProperty(globalThis, "setTimeout", {
      value,
      configurable: true,
      writable: true,
    });
  replace((callback: () => void, ms: number) => {
    times.push(ms);
    // It is called although no time has passed.
    if (times.length < 3) queueMicrotask(callback);
    return 0;
  });
  return { times, [Symbol.dispose]: () => void replace(setTimeout) };
}

Deno.test("half a step per second is a step at once, and the next after two seconds", async () => {
  using timers = fakeTimers();
  const step = pace(0.5);
  await step();
  assertEquals(timers.times, []);
  void step();
  for (let n = 0; n < 20; n++) await Promise.resolve();
  // Woken too early, it waits again.
  const tenths = timers.times.map((ms) => Math.round(ms / 100));
  assertEquals(tenths, [20, 20, 20]);
});

Deno.test("a step that is due later than a timer can wait is not early", async () => {
  using timers = fakeTimers();
  const step = pace(1e-12);
  await step();
  let isDone = false;
  void step().then(() => isDone = true);
  for (let n = 0; n < 20; n++) await Promise.resolve();
  assertEquals(timers.times, [2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1]);
  assertEquals(isDone, false);
});
