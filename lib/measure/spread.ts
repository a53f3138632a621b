import { Histogram, NO_DELAYS, PERCENTS, rank } from "./histogram.ts";
import type { Delays } from "./result.ts";

/**
 * How values are distributed that have no known zero, such as delays between two
 * clocks: their distances from the first one, in two histograms. Percentiles are
 * off by at most 0.05 % of that distance.
 */
export class Spread {
  readonly #above = new Histogram();
  readonly #below = new Histogram();
  #first: number | undefined;

  /** How many values it has. */
  get count(): number {
    return this.#above.count + this.#below.count;
  }

  /** The smallest value; `Infinity` without any. */
  get min(): number {
    const { count } = this.#below;
    return (this.#first ?? 0) +
      (count > 0 ? -this.#below.max : this.#above.min);
  }

  /** The largest value; `-Infinity` without any. */
  get max(): number {
    const { count } = this.#above;
    return (this.#first ?? 0) +
      (count > 0 ? this.#above.max : -this.#below.min);
  }

  /** Adds a value. */
  record(value: number): void {
    const distance = value - (this.#first ??= value);
    if (distance < 0) this.#below.record(-distance);
    else this.#above.record(distance);
  }

  /** Returns how the values are distributed, less a constant. */
  delays(less: number): Delays {
    const { count } = this;
    if (count === 0) return NO_DELAYS;
    const shift = (this.#first ?? 0) - less;
    const [p50 = 0, p90 = 0, p99 = 0, p999 = 0, p9999 = 0] = PERCENTS.map(
      (percent) => shift + this.#at(rank(percent, count)),
    );
    const sum = this.#above.mean * this.#above.count -
      this.#below.mean * this.#below.count;
    return {
      count,
      min: this.min - less,
      mean: shift + sum / count,
      ...{ p50, p90, p99, p999, p9999 },
      max: this.max - less,
    };
  }

  /** The distance from the first value of the one with that rank. */
  #at(rank: number): number {
    const below = this.#below.count;
    const [half, within] = rank > below
      ? [this.#above, rank - below]
      : [this.#below, below - rank + 1];
    const [value = 0] = half.percentiles([100 * within / half.count]);
    return half === this.#below ? -value : value;
  }
}
