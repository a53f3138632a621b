import type { Column } from "./group.ts";
import { figure } from "./results.ts";

/** Formats a Markdown table, whose first column is text. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0))
  );
  const line = (row: readonly string[]) => {
    const cells = widths.map((width, column) => {
      const cell = row[column] ?? "";
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    return `| ${cells.join(" | ")} |`;
  };
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  return [head, rule, ...rows].map(line).join("\n");
}

/** Makes a column that shows one metric. */
export function column(
  head: string,
  metric: string,
  format: (value: number) => string,
): Column {
  return [head, (medians) => format(figure(medians, metric))];
}

/** Formats a rate or a count. */
export function rate(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** Formats a ratio, with more decimals if it is small. */
export function ratio(value: number): string {
  return value.toFixed(value < 10 ? 3 : 1);
}

/** Formats microseconds of CPU time. */
export function micros(value: number): string {
  return value.toFixed(value < 1 ? 3 : 2);
}

/** Formats a time with one decimal. */
export function tenths(value: number): string {
  return value.toFixed(1);
}

/** Formats a share. */
export function percent(share: number): string {
  return `${tenths(share * 100)} %`;
}

/** Formats bytes as megabytes. */
export function megabytes(bytes: number): string {
  return tenths(bytes / 1e6);
}
