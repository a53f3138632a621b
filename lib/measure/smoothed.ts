/** The interarrival jitter of RFC 3550, section 6.4.1. */
export class Smoothed {
  #last: number | undefined;
  #value = 0;

  /** The jitter so far, in milliseconds. */
  get value(): number {
    return this.#value;
  }

  /** Adds the delay of the next arrival, less any constant, in milliseconds. */
  add(delay: number): void {
    if (this.#last !== undefined) {
      this.#value += (Math.abs(delay - this.#last) - this.#value) / 16;
    }
    this.#last = delay;
  }
}
