import { BinaryHeap } from "@std/data-structures/binary-heap";
import type { Clock } from "../clock.ts";

// A clock's longest wait, 24 days; what is held for longer waits again.
const MAX_WAIT_MS = 2 ** 31 - 1;

/** Holds items until their time and lets them go in order, by one timer. */
export class DelayLine<T> {
  readonly #clock: Clock;
  readonly #release: (item: T) => void;
  readonly #held = new BinaryHeap<{ at: number; order: number; item: T }>(
    (a, b) => a.at - b.at || a.order - b.order,
  );
  #order = 0;
  #due = Infinity;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, release: (item: T) => void) {
    this.#clock = clock;
    this.#release = release;
  }

  /** How many items it holds. */
  get length(): number {
    return this.#held.length;
  }

  /** When the next of them is let go; `Infinity` for none. */
  get due(): number {
    return this.#due;
  }

  /** Holds an item until then. */
  hold(item: T, at: number): void {
    this.#held.push({ at, order: this.#order++, item });
    if (at < this.#due) this.#wait(at);
  }

  /** Gives what it holds, and holds it no more. */
  clear(): T[] {
    this.#cancel?.();
    this.#due = Infinity;
    return Array.from(this.#held.drain(), ({ item }) => item);
  }

  #wait(at: number): void {
    this.#cancel?.();
    this.#due = at;
    const ms = Math.min(Math.max(0, at - this.#clock.now()), MAX_WAIT_MS);
    this.#cancel = this.#clock.after(ms, () => {
      this.#due = Infinity;
      const now = this.#clock.now();
      let next = this.#held.peek();
      while (next !== undefined && next.at <= now) {
        this.#release(this.#held.pop()!.item);
        next = this.#held.peek();
      }
      if (next !== undefined) this.#wait(next.at);
    });
  }
}
