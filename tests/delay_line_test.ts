import { assert, assertEquals } from "@std/assert";
import type { Clock } from "../lib/clock.ts";
import { DelayLine } from "../lib/testing/delay_line.ts";
import { random } from "./support/helpers.ts";

const DAY_MS = 86_400_000;

/** A clock that stands still until it is moved. */
class ManualClock implements Clock {
  readonly timers: { at: number; ms: number; callback: () => void }[] = [];
  #now = 0;

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, ms, callback };
    this.timers.push(timer);
    return () => {
      const index = this.timers.indexOf(timer);
      if (index >= 0) this.timers.splice(index, 1);
    };
  }

  turn(callback: () => void): () => void {
    return this.after(0, callback);
  }

  /** Moves it, and calls the callbacks that are due until then. */
  moveTo(now: number): void {
    let timer;
    do {
      timer = this.timers.filter(({ at }) => at <= now)
        .toSorted((a, b) => a.at - b.at)[0];
      this.#now = timer?.at ?? now;
      this.fire(timer);
    } while (timer !== undefined);
  }

  /** Calls a callback, even if it is too early. */
  fire(timer = this.timers[0]): void {
    if (timer === undefined) return;
    this.timers.splice(this.timers.indexOf(timer), 1);
    timer.callback();
  }
}

function line() {
  const clock = new ManualClock();
  const released: [time: number, item: string][] = [];
  const line = new DelayLine<string>(
    clock,
    (item) => void released.push([clock.now(), item]),
  );
  return { clock, line, released };
}

Deno.test("items are released at their times, in order of time", () => {
  const { clock, line: held, released } = line();
  held.hold("c", 30);
  held.hold("a", 10);
  held.hold("b", 20);
  clock.moveTo(9);
  assertEquals(released, []);
  clock.moveTo(25);
  assertEquals(released, [[10, "a"], [20, "b"]]);
  clock.moveTo(100);
  assertEquals(released.at(-1), [30, "c"]);
});

Deno.test("items of one time are released in the order in which they were added", () => {
  const { clock, line: held, released } = line();
  const names = Array.from({ length: 100 }, (_, n) => `${n}`);
  for (const name of names) held.hold(name, 5);
  clock.moveTo(5);
  assertEquals(released.map(([_, item]) => item), names);
});

Deno.test("2,000 random items are released by time, then by arrival", () => {
  const { clock, line: held, released } = line();
  const below = random(1);
  const items = Array.from(
    { length: 2000 },
    (_, n) => ({ at: 1 + below(500), name: `${n}` }),
  );
  for (const { at, name } of items) held.hold(name, at);
  clock.moveTo(1000);
  assertEquals(
    released,
    items.toSorted((a, b) => a.at - b.at).map(({ at, name }) => [at, name]),
  );
});

Deno.test("there is one timer while items are held, and none otherwise", () => {
  const { clock, line: held } = line();
  for (let n = 100; n > 0; n--) {
    held.hold(`${n}`, n);
    assertEquals(clock.timers.map(({ at }) => at), [n]);
  }
  clock.moveTo(50);
  assertEquals(clock.timers.map(({ at }) => at), [51]);
  clock.moveTo(100);
  assertEquals(clock.timers, []);
});

Deno.test("length and due are those of the items that are held", () => {
  const { clock, line: held } = line();
  assertEquals([held.length, held.due], [0, Infinity]);
  held.hold("b", 20);
  held.hold("a", 10);
  assertEquals([held.length, held.due], [2, 10]);
  clock.moveTo(10);
  assertEquals([held.length, held.due], [1, 20]);
  clock.moveTo(20);
  assertEquals([held.length, held.due], [0, Infinity]);
});

Deno.test("an item that is already due is released by the next timer, not before", () => {
  const { clock, line: held, released } = line();
  clock.moveTo(100);
  held.hold("late", 50);
  assertEquals([released.length, clock.timers[0]?.ms], [0, 0]);
  clock.moveTo(100);
  assertEquals(released, [[100, "late"]]);
});

Deno.test("a timer that fires too early releases nothing, and waits again", () => {
  const { clock, line: held, released } = line();
  held.hold("a", 10);
  clock.moveTo(9.5);
  clock.fire();
  assertEquals(released, []);
  assertEquals(clock.timers.map(({ ms }) => ms), [0.5]);
  clock.moveTo(10);
  assertEquals(released, [[10, "a"]]);
});

Deno.test("a wait longer than a timer's longest is done in parts", () => {
  const { clock, line: held, released } = line();
  held.hold("a", 100 * DAY_MS);
  const longest = 2 ** 31 - 1;
  assert(clock.timers.every(({ ms }) => ms <= longest));
  clock.moveTo(99 * DAY_MS);
  assertEquals(released, []);
  assert(clock.timers.every(({ ms }) => ms <= longest));
  clock.moveTo(100 * DAY_MS);
  assertEquals(released, [[100 * DAY_MS, "a"]]);
});

Deno.test("clear returns the held items, and none of them is released later", () => {
  const { clock, line: held, released } = line();
  held.hold("b", 20);
  held.hold("a", 10);
  assertEquals(held.clear(), ["a", "b"]);
  assertEquals([held.length, held.due, clock.timers], [0, Infinity, []]);
  assertEquals(held.clear(), []);
  held.hold("c", 30);
  clock.moveTo(30);
  assertEquals(released, [[30, "c"]]);
});

Deno.test("an item that is added during a release waits for its own time", () => {
  const clock = new ManualClock();
  const released: string[] = [];
  const held = new DelayLine<string>(clock, (item) => {
    released.push(item);
    if (item === "a") {
      held.hold("again", 10);
      held.hold("later", 15);
    }
  });
  held.hold("a", 10);
  held.hold("b", 12);
  clock.moveTo(11);
  assertEquals(released, ["a", "again"]);
  clock.moveTo(20);
  assertEquals(released, ["a", "again", "b", "later"]);
  assertEquals(clock.timers, []);
});
