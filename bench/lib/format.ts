import type { Column } from "./group.ts";

/** Formats a Markdown table: the first row is its head, the first column text. */
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

/** Makes a column that shows one metric. */
export function column(
  head: string,
  metric: string,
  format: (value: number) => string,
): Column {
  return [head, (medians) => format(medians[metric])];
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
