/** What all rounds gave, side by side. */
export class Results<S extends string, F extends string> {
  readonly #measured = new Map<S, Record<F, number>[]>();

  /** Takes what was measured before, round by round. */
  constructor(measured: Partial<Record<S, Record<F, number>[]>> = {}) {
    this.#measured = new Map(Object.entries(measured) as [S, never][]);
  }

  /** Adds what one subject did in one round. */
  add(subject: S, figures: Record<F, number>): void {
    const rounds = this.#measured.get(subject);
    if (rounds === undefined) this.#measured.set(subject, [figures]);
    else rounds.push(figures);
  }

  /** Forgets a subject, which then has no figures. */
  drop(subject: S): void {
    this.#measured.delete(subject);
  }

  /** One figure of one subject, round by round. */
  of(subject: S, figure: F): number[] {
    const rounds = this.#measured.get(subject) ?? [];
    return rounds.map((figures) => figures[figure]);
  }

  /**
   * How a figure compares with another subject's of the same round. Empty where
   * one of them was not measured.
   */
  ratios(figure: F, subject: S, base: S): number[] {
    const bases = this.of(base, figure);
    if (bases.length === 0) return [];
    return this.of(subject, figure).map((value, round) => value / bases[round]);
  }

  /** What was measured, round by round. */
  toJSON(): Partial<Record<S, Record<F, number>[]>> {
    return Object.fromEntries(this.#measured) as Partial<
      Record<S, Record<F, number>[]>
    >;
  }
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}
