/**
 * When questions leave: bursts of some at a time, at equal distances. The plan
 * does not depend on what comes back, nor on how long sending takes.
 */
export class Plan {
  readonly #burst: number;
  readonly #stepMs: number;

  constructor({ rate, burst }: { rate: number; burst: number }) {
    this.#burst = burst;
    this.#stepMs = burst / rate * 1000;
  }

  /** When the question with that number leaves, in milliseconds from the first. */
  at(number: number): number {
    return Math.floor(number / this.#burst) * this.#stepMs;
  }

  /** The distance between bursts, in milliseconds. */
  get stepMs(): number {
    return this.#stepMs;
  }
}
