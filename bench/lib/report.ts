import { median, type Results } from "./results.ts";

/** A ratio of one figure between two subjects, and what it should be. */
export interface Target<S extends string, F extends string> {
  what: string;
  figure: F;
  subject: S;
  base: S;
  atLeast?: number;
  atMost?: number;
}

/** A table of the medians of all figures. */
export function absolutes<S extends string, F extends string>(
  subjects: Record<S, string>,
  figures: Record<F, string>,
  results: Results<S, F>,
): string {
  const names = Object.keys(figures) as F[];
  return table([
    ["", ...names.map((name) => figures[name])],
    ...(Object.keys(subjects) as S[]).map((subject) => [
      subjects[subject],
      ...names.map((name) => amount(median(results.of(subject, name)))),
    ]),
  ]);
}

/** A table of the ratios, each taken within a round, and of their spread. */
export function comparisons<S extends string, F extends string>(
  targets: readonly Target<S, F>[],
  results: Results<S, F>,
): string {
  return table([
    ["round by round", "median", "min–max"],
    ...targets.map(({ what, figure, subject, base }) => {
      const ratios = results.ratios(figure, subject, base);
      const [min, max] = [Math.min(...ratios), Math.max(...ratios)];
      return [what, ratio(median(ratios)), `${ratio(min)}–${ratio(max)}`];
    }),
  ]);
}

/** One line for each target: whether it was reached, and by which ratio. */
export function verdicts<S extends string, F extends string>(
  targets: readonly Target<S, F>[],
  results: Results<S, F>,
): string {
  return targets.map((target) => {
    const measured = median(
      results.ratios(target.figure, target.subject, target.base),
    );
    const outcome = reached(target, measured) ? "reached" : "missed";
    return `target ${target.what} ${aim(target)}: ${outcome} (${
      ratio(measured)
    })`;
  }).join("\n");
}

/** What a target's ratio should be. */
export function aim({ atLeast, atMost }: Target<string, string>): string {
  return atLeast === undefined ? `<= ${atMost}` : `>= ${atLeast}`;
}

/** Whether a ratio is what it should be. */
export function reached(
  { atLeast = -Infinity, atMost = Infinity }: Target<string, string>,
  measured: number,
): boolean {
  return measured >= atLeast && measured <= atMost;
}

/** A Markdown table: the first row is its head, the first column is text. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) =>
    Math.max(...rows.map((row) => row[column].length))
  );
  const line = ([first, ...rest]: readonly string[]) =>
    `| ${
      [
        first.padEnd(widths[0]),
        ...rest.map((cell, i) => cell.padStart(widths[i + 1])),
      ].join(" | ")
    } |`;
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  return [rows[0], rule, ...rows.slice(1)].map(line).join("\n");
}

/** A figure, with decimals where it is small. */
export function amount(value: number): string {
  const decimals = value < 1000 ? 2 : 0;
  return value.toLocaleString("en", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
}

/** A ratio, with decimals where it is small. */
export function ratio(value: number): string {
  return value.toFixed(value < 10 ? 3 : 1);
}
