import type { Histogram } from "../../measure/histogram.ts";
import type { MeasureResult } from "../../measure/result.ts";
import { barsOf, ms } from "./distribution.ts";
import { percent } from "./summary.ts";
import { line, polyline, rectangle, svg, text } from "./svg.ts";
import type { TimeBin } from "./time_bins.ts";

const WIDTH = 900;
const HEIGHT = 560;
const LEFT = 70;
const RIGHT = WIDTH - 20;
const BARS = 60;
const TICKS = 4;

/** Where a chart is drawn: the y of its highest and its lowest value. */
interface Frame {
  readonly top: number;
  readonly bottom: number;
}

const OVER_TIME: Frame = { top: 60, bottom: 290 };
const DISTRIBUTION: Frame = { top: 370, bottom: 520 };

/** What is plotted. */
export interface Plotted {
  readonly result: MeasureResult;
  /** The round trips. */
  readonly delays: Histogram;
  readonly bins: readonly TimeBin[];
  /** How long a bin is. */
  readonly binMs: number;
}

/**
 * Returns an SVG image: the shortest, mean and longest round trip over time with
 * losses marked, and how the round trips are distributed. Its size is bounded by
 * the number of bins.
 */
export function plot({ result, delays, bins, binMs }: Plotted): string {
  const { to, sent, received, rttMs, valid } = result;
  const title = `${to}: ${sent} sent, ${
    percent(sent - received, sent)
  } lost, p50 ${ms(rttMs.p50)} ms, p99 ${ms(rttMs.p99)} ms${
    valid ? "" : " (INVALID)"
  }`;
  return svg(WIDTH, HEIGHT, title, [
    text(LEFT, 22, "title", title),
    ...overTime(bins, binMs),
    ...distribution(delays),
  ]);
}

function overTime(bins: readonly TimeBin[], binMs: number): string[] {
  const { top, bottom } = OVER_TIME;
  const answered = bins.filter(({ count }) => count > 0);
  const lost = bins.filter(({ lost }) => lost > 0);
  const longest = Math.max(...answered.map(({ max }) => max), 0) || 1;
  const end = (bins.at(-1)?.startMs ?? 0) + binMs;
  const x = (ms: number) => LEFT + ms / end * (RIGHT - LEFT);
  const y = (ms: number) => bottom - ms / longest * (bottom - top);
  const middle = ({ startMs }: TimeBin) => x(startMs + binMs / 2);
  const width = Math.max(x(binMs) - x(0), 1);
  return [
    text(
      LEFT,
      top - 14,
      "tick",
      "round trip over time, ms: shortest to longest, and the mean",
    ),
    ...grid(OVER_TIME, (part) => ms(longest * part)),
    ...answered.map(({ startMs, min, max }) =>
      rectangle(
        "band",
        [x(startMs), y(max)],
        width,
        Math.max(y(min) - y(max), 1),
      )
    ),
    polyline(
      "mean",
      answered.map((bin) => [middle(bin), y(bin.mean)] as const),
    ),
    // Along the axis, the taller the more of a bin was lost.
    ...lost.map((bin) =>
      line("lost", [middle(bin), bottom], [
        middle(bin),
        bottom - 6 - 24 * bin.lost / (bin.lost + bin.count),
      ])
    ),
    ...(lost.length > 0
      ? [text(RIGHT, top - 14, "losttext", "red: lost", "end")]
      : []),
    ...marks(OVER_TIME, (part) => `${round(end * part / 1000)} s`),
  ];
}

function distribution(delays: Histogram): string[] {
  const { top, bottom } = DISTRIBUTION;
  const bars = barsOf(delays, BARS);
  const highest = Math.max(...bars.map(({ count }) => count), 1);
  const width = (RIGHT - LEFT) / Math.max(bars.length, 1);
  const edge = (part: number) => {
    const bar = bars[Math.min(Math.floor(part * bars.length), bars.length - 1)];
    return part === 1 ? bar?.toMs : bar?.fromMs;
  };
  return [
    text(LEFT, top - 14, "tick", "how many round trips took how long"),
    ...grid(DISTRIBUTION, (part) => `${Math.round(highest * part)}`),
    ...bars.map(({ count }, n) => {
      const height = count / highest * (bottom - top);
      return rectangle(
        "bar",
        [LEFT + n * width, bottom - height],
        width * 0.9,
        height,
      );
    }),
    ...(bars.length === 0
      ? []
      : marks(DISTRIBUTION, (part) => `${ms(edge(part) ?? 0)} ms`)),
  ];
}

/** Horizontal lines with their labels. */
function grid(
  { top, bottom }: Frame,
  label: (part: number) => string,
): string[] {
  return parts().flatMap((part) => {
    const y = bottom - part * (bottom - top);
    return [
      line("grid", [LEFT, y], [RIGHT, y]),
      text(LEFT - 6, y + 4, "tick", label(part), "end"),
    ];
  });
}

/** The labels below a chart. */
function marks({ bottom }: Frame, label: (part: number) => string): string[] {
  return parts().map((part) => {
    const anchor = part === 0 ? "start" : part === 1 ? "end" : "middle";
    const x = LEFT + part * (RIGHT - LEFT);
    return text(x, bottom + 18, "tick", label(part), anchor);
  });
}

function parts(): number[] {
  return Array.from({ length: TICKS + 1 }, (_, n) => n / TICKS);
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
