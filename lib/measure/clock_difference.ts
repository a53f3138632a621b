/**
 * Estimates how far the reflector's clock is ahead, from the round trip that was
 * the shortest: whatever is unequal of its two ways is at most all of it
 * (RFC 5905, section 8).
 */
export class ClockDifference {
  #shortest = Infinity;
  #difference = 0;

  /** The estimate in milliseconds: the reflector's clock less the own one. */
  get ms(): number {
    return this.#difference;
  }

  /** By how much the estimate can be wrong. */
  get errorMs(): number {
    return this.#shortest / 2;
  }

  /** Adds the delays of a round trip, each by two clocks. */
  add(out: number, back: number): void {
    if (out + back >= this.#shortest) return;
    this.#shortest = Math.max(0, out + back);
    this.#difference = (out - back) / 2;
  }
}
