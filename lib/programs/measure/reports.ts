import type { Histogram } from "../../measure/histogram.ts";
import type { MeasureInterval, MeasureResult } from "../../measure/result.ts";
import { escapeControlsInJson } from "../../escape.ts";
import {
  CSV_HEADER,
  csvInterval,
  csvTotal,
  INTERVAL_HEADER,
  intervalLine,
} from "./intervals.ts";
import { summary } from "./summary.ts";

/** How a measurement is printed: lines, without line breaks. */
export interface Report {
  /**
   * What comes first.
   *
   * @param hasIntervals Whether intervals follow, and not the result alone.
   */
  header(hasIntervals: boolean): readonly string[];
  interval(interval: MeasureInterval): readonly string[];
  /** @param delays The round trips. */
  result(result: MeasureResult, delays: Histogram): readonly string[];
}

/** The formats of `--format`. */
export const REPORTS: Readonly<Record<"text" | "json" | "csv", Report>> = {
  text: {
    header: (hasIntervals) => hasIntervals ? [INTERVAL_HEADER] : [],
    interval: (interval) => [intervalLine(interval)],
    result: summary,
  },
  json: {
    header: () => [],
    interval: (interval) => [jsonLine(interval)],
    result: (result) => [jsonLine(result)],
  },
  csv: {
    header: () => [CSV_HEADER],
    interval: (interval) => [csvInterval(interval)],
    result: (result) => [csvTotal(result)],
  },
};

/** Writes a value as a line of JSON, without the noise of floating point. */
export function jsonLine(value: object): string {
  return escapeControlsInJson(JSON.stringify(
    value,
    (_, member) =>
      typeof member === "number" ? Number(member.toFixed(9)) : member,
  ));
}
