import type { Clock } from "../clock.ts";
import { Timeline } from "./timeline.ts";

// A clock's longest wait, 24 days; what is held for longer waits again.
const MAX_WAIT_MS = 2 ** 31 - 1;

/** Holds items until their times and releases them in order, by one timer. */
export class DelayLine<T> {
  readonly #clock: Clock;
  readonly #release: (item: T) => void;
  readonly #held = new Timeline<T>();
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

  /** When the next item is released; `Infinity` if it holds none. */
  get due(): number {
    return this.#due;
  }

  /** Holds an item until that time. */
  hold(item: T, at: number): void {
    this.#held.add(item, at);
    if (at < this.#due) this.#wait(at);
  }

  /** Returns the items that it held, in order, and releases none of them. */
  clear(): T[] {
    this.#cancel?.();
    this.#due = Infinity;
    return this.#held.clear();
  }

  #wait(at: number): void {
    this.#cancel?.();
    this.#due = at;
    const ms = Math.min(Math.max(0, at - this.#clock.now()), MAX_WAIT_MS);
    this.#cancel = this.#clock.after(ms, () => {
      this.#due = Infinity;
      const now = this.#clock.now();
      while (this.#held.next <= now) this.#release(this.#held.take()!.item);
      if (this.#held.length > 0) this.#wait(this.#held.next);
    });
  }
}
