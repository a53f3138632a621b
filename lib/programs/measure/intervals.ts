import type { MeasureInterval, MeasureResult } from "../../measure/result.ts";
import { ms } from "./distribution.ts";

const COLUMNS = [
  ["sent", 9],
  ["answered", 9],
  ["waiting", 8],
  ["p50 ms", 9],
  ["p99 ms", 9],
  ["max ms", 9],
  ["twice", 7],
  ["reordered", 10],
] as const;

/** What stands above the lines of intervals, for people. */
export const INTERVAL_HEADER: string = columns(
  "time",
  COLUMNS.map(([label]) => label),
);

/** Writes an interval as a line for people, of at most 80 columns. */
export function intervalLine(interval: MeasureInterval): string {
  const { startMs, durationMs, sent, received, waiting, rttMs } = interval;
  const { duplicates, reordered } = interval;
  const delay = (value: number) => rttMs.count === 0 ? "-" : ms(value);
  return columns(`${((startMs + durationMs) / 1000).toFixed(1)} s`, [
    ...[`${sent}`, `${received}`, `${waiting}`],
    ...[rttMs.p50, rttMs.p99, rttMs.max].map(delay),
    `${duplicates.out + duplicates.back}`,
    `${reordered.out + reordered.back}`,
  ]);
}

function columns(time: string, cells: readonly string[]): string {
  const padded = cells.map((cell, n) => cell.padStart(COLUMNS[n]![1]));
  return time.padStart(9) + padded.join("");
}

const DELAYS = [
  "min",
  "mean",
  "p50",
  "p90",
  "p99",
  "p999",
  "p9999",
  "max",
] as const;
const LOST = [
  "ownSend",
  "out",
  "reflector",
  "back",
  "ownReceive",
  "late",
  "unknown",
] as const;

/** The names of the columns of {@linkcode csvInterval} and {@linkcode csvTotal}. */
export const CSV_HEADER: string = [
  ...["what", "start_ms", "duration_ms", "sent", "received", "waiting"],
  ...["duplicates_out", "duplicates_back", "reordered_out", "reordered_back"],
  ...DELAYS.map((name) => `rtt_${name}_ms`),
  ...["lost", ...LOST.map((name) => `lost_${snake(name)}`), "valid"],
].join(",");

/** Writes an interval as a line of CSV. What only a result has is empty. */
export function csvInterval(interval: MeasureInterval): string {
  const { startMs, durationMs, waiting } = interval;
  const before = ["interval", startMs, durationMs];
  return cells([
    ...before,
    ...counts(interval, waiting),
    ...LOST.map(() => ""),
    "",
    "",
  ]);
}

/** Writes a result as a line of CSV. */
export function csvTotal(result: MeasureResult): string {
  const { sent, received, lost, valid } = result;
  const after = [sent - received, ...LOST.map((name) => lost[name]), valid];
  return cells(["total", 0, result.durationMs, ...counts(result, 0), ...after]);
}

type Cell = string | number | boolean;

function counts(
  { sent, received, duplicates, reordered, rttMs }:
    | MeasureInterval
    | MeasureResult,
  waiting: number,
): Cell[] {
  return [
    ...[sent, received, waiting, duplicates.out, duplicates.back],
    ...[reordered.out, reordered.back],
    ...DELAYS.map((name) => rttMs.count === 0 ? "" : rttMs[name]),
  ];
}

/** Numbers to the nanosecond, without the noise of floating point. */
function cells(values: readonly Cell[]): string {
  return values.map((value) =>
    typeof value === "number" ? `${Number(value.toFixed(6))}` : `${value}`
  ).join(",");
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
