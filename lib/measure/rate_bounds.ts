/** How rates are tried. */
export interface BoundsOptions {
  /** The rate that is tried first. */
  readonly first: number;
  /** No higher rate is tried. */
  readonly highest: number;
  /** No lower rate is tried. */
  readonly lowest: number;
  /** How near the bounds have to come, as a part of the upper one. */
  readonly resolution: number;
}

/**
 * Looks for the highest rate that passes, by halves: doubles until one fails, or
 * halves until one passes, and then tries the middle of both.
 */
export class RateBounds {
  readonly #options: BoundsOptions;
  #lower = 0;
  #upper: number | undefined;

  constructor(options: BoundsOptions) {
    this.#options = options;
  }

  /** The highest rate that passed; 0 if none did. */
  get lower(): number {
    return this.#lower;
  }

  /** The lowest rate that failed; `undefined` if none did. */
  get upper(): number | undefined {
    return this.#upper;
  }

  /** The rate to try next; `undefined` if there is none. */
  get next(): number | undefined {
    const { first, highest, lowest, resolution } = this.#options;
    const lower = this.#lower;
    const upper = this.#upper;
    if (upper === undefined) {
      if (lower === 0) return first;
      return lower >= highest ? undefined : Math.min(lower * 2, highest);
    }
    if (lower === 0) {
      return upper <= lowest ? undefined : Math.max(upper / 2, lowest);
    }
    return upper - lower <= upper * resolution
      ? undefined
      : (lower + upper) / 2;
  }

  /** Takes the outcome of a trial. */
  record(rate: number, passed: boolean): void {
    if (passed) {
      this.#lower = Math.max(this.#lower, rate);
      return;
    }
    this.#upper = Math.min(this.#upper ?? Infinity, rate);
    // What passed once, and fails now, has not been proved.
    if (this.#lower >= rate) this.#lower = 0;
  }
}
