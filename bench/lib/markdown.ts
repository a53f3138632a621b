import { percent, rate, ratio, table } from "./format.ts";
import type { Group, Row, Table, Target } from "./group.ts";
import { GROUPS } from "./groups.ts";
import type { Outcome } from "./outcome.ts";
import { median, Results } from "./results.ts";

// In cores: if other programs used more, the figures say little.
const BUSY = 0.2;
// Of the median: if rounds differ more, they say little either.
const UNSTEADY = 0.3;

/**
 * Formats the report of a run: the machine, the targets of the groups that were
 * measured, and a table for each part and size of a group.
 */
export function markdown(outcome: Outcome): string {
  const results = new Results(outcome.figures);
  const measured = GROUPS.map((group) => ({
    group,
    rows: outcome.rows.filter((row) => row.group === group.name),
  })).filter(({ rows }) => rows.length > 0);
  return [
    about(outcome, spreadOf(measured, results)),
    targets(measured.flatMap(({ group }) => group.targets ?? []), results),
    ...measured.flatMap(({ group, rows }) => tables(group, rows, results)),
    missing(outcome),
  ].filter((part) => part !== "").join("\n\n");
}

/** A group, and its rows that were measured. */
interface Measured {
  group: Group;
  rows: Row[];
}

function about(outcome: Outcome, spread: number): string {
  const { machine, versions, rounds, seconds, otherCores } = outcome;
  return `${[machine, ...versions].join(" · ")}.
Medians of ${rounds} ${
    rounds === 1 ? "round" : "rounds"
  }, ${seconds} s each. Other programs kept ${
    otherCores.toFixed(2)
  } cores busy${
    otherCores > BUSY ? ": too many for these figures to mean much" : ""
  }.${rounds > 1 ? ` ${steadiness(spread)}` : ""}`;
}

function steadiness(spread: number): string {
  return `The rounds of a row differ by ${percent(spread)}${
    spread > UNSTEADY ? ": the machine was not steady" : ""
  }.`;
}

/**
 * Returns by how much the rounds of a row differ, as a share of their median:
 * the highest less the lowest, in the middle of all rows.
 */
function spreadOf(measured: readonly Measured[], results: Results): number {
  return median(
    measured.flatMap(({ group, rows }) =>
      rows.flatMap(({ id }) =>
        group.tables.map(({ metric }) => {
          const values = results.of(id, metric);
          return (Math.max(...values) - Math.min(...values)) / median(values);
        })
      )
    ),
  );
}

function targets(all: readonly Target[], results: Results): string {
  if (all.length === 0) return "";
  const lines = all.map((target) => {
    const { what, metric, subject, base, isRatio } = target;
    const values = base === undefined
      ? results.of(subject, metric)
      : results.ratios(metric, subject, base);
    const shown = base === undefined && !isRatio ? rate : ratio;
    const result = values.length === 0
      ? "not measured"
      : isPassed(target, median(values))
      ? "passed"
      : "missed";
    return [what, aim(target), spread(values, shown), result];
  });
  const head = ["100 bytes", "target", "median (min–max)", "result"];
  return `### Targets\n\n${table(head, lines)}`;
}

function aim({ atLeast, atMost }: Target): string {
  return atLeast !== undefined ? `>= ${atLeast}` : `<= ${atMost}`;
}

function isPassed(
  { atLeast = -Infinity, atMost = Infinity }: Target,
  value: number,
): boolean {
  return value >= atLeast && value <= atMost;
}

function tables(group: Group, rows: Row[], results: Results): string[] {
  const sizes = [...new Set(rows.map(({ size }) => size))];
  return group.tables.flatMap((each) =>
    sizes.map((size) => {
      const title = [
        ...[group.title, each.part],
        size === undefined ? undefined : `${size} bytes`,
      ].filter((part) => part !== undefined).join(", ");
      const ofSize = rows.filter((row) => row.size === size);
      return `### ${title}\n\n${section(each, ofSize, results)}`;
    })
  );
}

/** The other rows are compared with the first one. */
function section(
  { rows: about, metric, columns }: Table,
  rows: Row[],
  results: Results,
): string {
  // The ratio stands behind the metric that it is of.
  const line = (label: string, cells: string[], ratio: string) =>
    [label, ...cells].toSpliced(2, 0, ratio);
  const [base] = rows;
  const lines = rows.map(({ id, label }) => {
    const medians = results.medians(id);
    const ratios = results.ratios(metric, id, base?.id ?? id);
    const cells = columns.map(([, cell]) => cell(medians));
    return line(label, cells, spread(ratios, ratio));
  });
  const heads = columns.map(([head]) => head);
  return table(line(about, heads, "ratio to the first (min–max)"), lines);
}

function missing({ missing }: Outcome): string {
  if (missing.length === 0) return "";
  const lines = missing.map(({ what, reason }) => `- ${what}: ${reason}`);
  return `### Missing\n\n${lines.join("\n")}`;
}

function spread(
  values: readonly number[],
  shown: (value: number) => string,
): string {
  if (values.length === 0) return "–";
  const [min, max] = [Math.min(...values), Math.max(...values)];
  return `${shown(median(values))} (${shown(min)}–${shown(max)})`;
}
