import { BinaryHeap } from "@std/data-structures/binary-heap";
import type { Clock } from "../clock.ts";

interface Event {
  at: number;
  /** Events of one time happen in the order in which they were planned. */
  order: number;
  callback: (() => void) | undefined;
}

/**
 * A clock whose time jumps to the next thing that is to happen, as soon as the
 * program does nothing but wait. It runs by itself while anything is planned.
 */
export class VirtualClock implements Clock {
  readonly #events = new BinaryHeap<Event>((a, b) =>
    a.at - b.at || a.order - b.order
  );
  #now = 0;
  #order = 0;
  #planned = 0;
  #immediate: ReturnType<typeof setImmediate> | undefined;

  /** How many things are still to happen. */
  get planned(): number {
    return this.#planned;
  }

  /** Milliseconds since the clock was made. */
  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const event: Event = {
      at: this.#now + ms,
      order: this.#order++,
      callback,
    };
    this.#events.push(event);
    this.#planned++;
    this.#wind();
    return () => {
      if (event.callback === undefined) return;
      event.callback = undefined;
      if (--this.#planned === 0) this.#stop();
    };
  }

  turn(callback: () => void): () => void {
    return this.after(0, callback);
  }

  /** An immediate comes when all promises that could go on have gone on. */
  #wind(): void {
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined;
      this.#step();
      if (this.#planned > 0) this.#wind();
    });
  }

  #step(): void {
    let event;
    do event = this.#events.pop(); while (event && !event.callback);
    if (event?.callback === undefined) return;
    const { at, callback } = event;
    event.callback = undefined;
    this.#planned--;
    this.#now = at;
    callback();
  }

  #stop(): void {
    while (this.#events.pop() !== undefined);
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
  }
}
