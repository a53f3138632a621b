import type { Clock } from "../clock.ts";
import { dateNow } from "../platform.ts";

// How far one clock may drift from another: 20 parts in a million.
const DRIFT = 2e-5;
// The system's date has whole milliseconds, so within this time it steps once.
const FIRST_LOOK_MS = 1.5;

/**
 * Turns the system's times of arrival into times of a socket's clock. They have
 * microseconds, but the date has whole milliseconds only: the moment at which it
 * steps tells the rest. It follows when the date is set or is sped up.
 */
export class KernelTime {
  readonly #clock: Clock;
  #offset = -Infinity;
  #at = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    const end = clock.now() + FIRST_LOOK_MS;
    while (this.look() < end);
  }

  /** Returns a time since 1970, near the present, as one of the socket's clock. */
  own(ms: number): number {
    return ms - this.#offset;
  }

  /** Compares the clocks. @returns The time of the socket's clock. */
  look(): number {
    const before = this.#clock.now();
    const date = dateNow();
    const now = this.#clock.now();
    // The offset lies between these, however long the program paused meanwhile.
    const least = date - now;
    const most = date + 1 - before;
    this.#offset -= DRIFT * (now - this.#at);
    this.#at = now;
    if (!(this.#offset >= least && this.#offset <= most)) this.#offset = least;
    return now;
  }
}
