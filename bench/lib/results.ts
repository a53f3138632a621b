import type { Figures } from "./group.ts";

/** The figures of all measurements by id, one entry per round. */
export type Rounds = Partial<Record<string, Figures[]>>;

/** Returns one of the figures. @throws {Error} It was not measured. */
export function figure(figures: Figures, metric: string): number {
  const value = figures[metric];
  if (value === undefined) throw new Error(`${metric} was not measured`);
  return value;
}

/** The results of all rounds. */
export class Results {
  readonly #rounds: Rounds;

  /** Takes the results of an earlier run, if given. */
  constructor(rounds: Rounds = {}) {
    this.#rounds = { ...rounds };
  }

  /** Adds the figures of one measurement in one round. */
  add(id: string, figures: Figures): void {
    (this.#rounds[id] ??= []).push(figures);
  }

  /** Removes a measurement. */
  drop(id: string): void {
    delete this.#rounds[id];
  }

  /** Returns one metric of one measurement, round by round. */
  of(id: string, metric: string): number[] {
    return (this.#rounds[id] ?? []).map((figures) => figure(figures, metric));
  }

  /** Returns the medians of all metrics of one measurement. */
  medians(id: string): Figures {
    const [first = {}] = this.#rounds[id] ?? [];
    return Object.fromEntries(
      Object.keys(first).map((metric) => [metric, median(this.of(id, metric))]),
    );
  }

  /**
   * Returns the ratios of a metric to the one of another measurement in the same
   * round. Empty if one of them was not measured.
   */
  ratios(metric: string, id: string, base: string): number[] {
    const bases = this.of(base, metric);
    if (bases.length === 0) return [];
    return this.of(id, metric).map((value, round) =>
      value / (bases[round] ?? NaN)
    );
  }

  toJSON(): Rounds {
    return this.#rounds;
  }
}

/** Returns the middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const [low = NaN, high = low] = sorted.slice(
    Math.floor(middle),
    Math.ceil(middle) + 1,
  );
  return (low + high) / 2;
}
