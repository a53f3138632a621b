const SECONDS = 120;

/** How many messages arrived in each second, as a chart shows it. */
export interface RateHistory {
  /** The end of the last of these seconds, in milliseconds since 1970. */
  readonly until: number;
  /** A number for each of the last 120 whole seconds since the start. */
  readonly perSecond: readonly number[];
}

/** Counts messages per second, for the last two minutes. Needs no timer. */
export class Rates {
  readonly #now: () => number;
  readonly #start: number;
  // A second is at its number modulo the length.
  readonly #seconds: { second: number; count: number }[];

  /** @param now A clock that never jumps, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#start = this.#second;
    this.#seconds = Array.from(
      { length: SECONDS + 1 },
      () => ({ second: -1, count: 0 }),
    );
  }

  /** Counts messages that arrived now. */
  add(count: number): void {
    const slot = this.#at(this.#second);
    if (slot.second !== this.#second) {
      slot.second = this.#second;
      slot.count = 0;
    }
    slot.count += count;
  }

  /** Returns the numbers up to now. */
  history(): RateHistory {
    const end = this.#second;
    const length = Math.min(SECONDS, end - this.#start);
    const perSecond = Array.from({ length }, (_, i) => {
      const second = end - length + i;
      const slot = this.#at(second);
      return slot.second === second ? slot.count : 0;
    });
    return { until: Date.now() - this.#now() % 1000, perSecond };
  }

  get #second(): number {
    return Math.floor(this.#now() / 1000);
  }

  #at(second: number): { second: number; count: number } {
    return this.#seconds[second % this.#seconds.length]!;
  }
}
