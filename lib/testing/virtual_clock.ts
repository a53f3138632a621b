import type { Clock } from "../clock.ts";
import { Timeline } from "./timeline.ts";

interface Event {
  /** `undefined` once it was called or canceled. */
  callback: (() => void) | undefined;
}

/**
 * A clock whose time jumps to the next planned event as soon as the program does
 * nothing but wait. It runs by itself while anything is planned.
 */
export class VirtualClock implements Clock {
  readonly isVirtual = true;
  readonly #events = new Timeline<Event>();
  #now = 0;
  #planned = 0;
  #added = 0;
  #immediate: ReturnType<typeof setImmediate> | undefined;

  /** How many events are still to come. */
  get planned(): number {
    return this.#planned;
  }

  /** How many events were planned so far: it grows whenever something happens. */
  get events(): number {
    return this.#added;
  }

  /** Milliseconds since the clock was made. */
  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    if (ms === Infinity) return () => {};
    const event: Event = { callback };
    // Its time never goes back. `NaN` is no time.
    this.#events.add(event, this.#now + (ms > 0 ? ms : 0));
    this.#planned++;
    this.#added++;
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

  /** An immediate runs after every promise that can continue has continued. */
  #wind(): void {
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined;
      try {
        this.#step();
      } finally {
        // Also if a callback has thrown.
        if (this.#planned > 0) this.#wind();
      }
    });
  }

  #step(): void {
    let next;
    do next = this.#events.take(); while (next && !next.item.callback);
    if (next?.item.callback === undefined) return;
    const { callback } = next.item;
    next.item.callback = undefined;
    this.#planned--;
    this.#now = next.at;
    callback();
  }

  #stop(): void {
    this.#events.clear();
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
  }
}
