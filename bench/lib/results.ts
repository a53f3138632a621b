/** What all rounds gave, side by side. */
export class Results<S extends string, F extends string> {
  readonly #measured = new Map<S, Record<F, number>[]>();

  /** Adds what one subject did in one round. */
  add(subject: S, figures: Record<F, number>): void {
    const rounds = this.#measured.get(subject);
    if (rounds === undefined) this.#measured.set(subject, [figures]);
    else rounds.push(figures);
  }

  /** One figure of one subject, round by round. */
  of(subject: S, figure: F): number[] {
    const rounds = this.#measured.get(subject) ?? [];
    return rounds.map((figures) => figures[figure]);
  }

  /** How a figure compares with another subject's of the same round. */
  ratios(figure: F, subject: S, base: S): number[] {
    const bases = this.of(base, figure);
    return this.of(subject, figure).map((value, round) => value / bases[round]);
  }
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}
