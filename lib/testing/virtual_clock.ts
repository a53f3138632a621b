import type { Clock } from "../clock.ts";
import { clearImmediate, setImmediate } from "../platform.ts";
import { Timeline } from "./timeline.ts";

// How many canceled events are kept for nothing, unless the others are more.
const MAX_CANCELED = 1000;

interface Event {
  /** `undefined` once it was called or canceled. */
  callback: (() => void) | undefined;
}

/**
 * A clock whose time jumps to the next planned event as soon as the program does
 * nothing but wait. It runs by itself while anything is planned, unless it is
 * held.
 */
export class VirtualClock implements Clock {
  readonly isVirtual = true;
  readonly #events = new Timeline<Event>();
  #now = 0;
  #planned = 0;
  #added = 0;
  #steps = 0;
  #holds = 0;
  #immediate: ReturnType<typeof setImmediate> | undefined;
  #hasEnded = false;
  #limit = Infinity;
  #onLimit: (() => void) | undefined;
  #onError: ((error: unknown) => void) | undefined;

  /** How many events are still to come. */
  get planned(): number {
    return this.#planned;
  }

  /** How many events were planned so far: it grows whenever something happens. */
  get events(): number {
    return this.#added;
  }

  /** How many events have come. */
  get steps(): number {
    return this.#steps;
  }

  /** Milliseconds since the clock was made. */
  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    if (ms === Infinity || this.#hasEnded) return () => {};
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
      else this.#clean();
    };
  }

  turn(callback: () => void): () => void {
    return this.after(0, callback);
  }

  /** Stops the time: until `release` only events come that are due already. */
  hold(): void {
    this.#holds++;
  }

  /** Ends one `hold`. */
  release(): void {
    if (--this.#holds === 0 && this.#planned > 0) this.#wind();
  }

  /** Lets time pass although the program does not wait. */
  skip(ms: number): void {
    this.#now += ms;
  }

  /**
   * Calls back once before an event comes that is later than so many milliseconds
   * from now.
   *
   * @returns Ends the limit.
   */
  limit(ms: number, callback: () => void): () => void {
    this.#limit = this.#now + ms;
    this.#onLimit = callback;
    return () => {
      this.#limit = Infinity;
    };
  }

  /** Takes what callbacks throw; otherwise it is thrown where nobody catches it. */
  takeErrors(onError: (error: unknown) => void): void {
    this.#onError = onError;
  }

  /** Ends the time: no event comes any more, and none is planned. */
  end(): void {
    this.#hasEnded = true;
    this.#planned = 0;
    this.#stop();
  }

  /** Whether the next event has to wait for a `release`. */
  get isHeld(): boolean {
    return this.#holds > 0 && this.#events.next > this.#now;
  }

  /** An immediate runs after every promise that can continue has continued. */
  #wind(): void {
    if (this.isHeld) return;
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
    do {
      if (this.isHeld) return;
      next = this.#events.take();
    } while (next && !next.item.callback);
    if (next?.item.callback === undefined) return;
    if (next.at > this.#limit) {
      this.#limit = Infinity;
      this.#onLimit?.();
    }
    const { callback } = next.item;
    next.item.callback = undefined;
    this.#planned--;
    this.#steps++;
    // Time may have passed meanwhile.
    this.#now = Math.max(this.#now, next.at);
    try {
      callback();
    } catch (error) {
      if (this.#onError === undefined) throw error;
      this.#onError(error);
    }
  }

  #stop(): void {
    this.#events.clear();
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
  }

  /** Forgets canceled events, so that timeouts that never come cost no memory. */
  #clean(): void {
    const canceled = this.#events.length - this.#planned;
    if (canceled <= MAX_CANCELED || canceled <= this.#planned) return;
    this.#events.keep(({ callback }) => callback !== undefined);
  }
}
