import {
  AXES,
  type Axis,
  idOf,
  pointOn,
  SERIES,
  type Series,
} from "./curves.ts";
import type { Outcome } from "./outcome.ts";
import { median, Results } from "./results.ts";
import { line, round, STYLE as COMMON, svg, text } from "./svg.ts";

const PANELS = [
  { metric: "micros", title: "CPU time per datagram in µs", scale: 1 },
  { metric: "bytes", title: "Most memory in MB", scale: 1e6 },
] as const;

const WIDTH = 1080;
const HEIGHT = 400;
const LEFT = 70;
const PANEL = 340;
const GAP = 70;
const TOP = 50;
const BOTTOM = 320;
const LEGEND = LEFT + 2 * PANEL + GAP + 24;

// Lines over offload are dashed, and those of runs dotted.
const STYLE = `${COMMON}
  path { fill: none; stroke-width: 2; }
  .offload { stroke-dasharray: 5 3; }
  .runs { stroke-dasharray: 1.5 3.5; }
  .receive { stroke: #0969da; }
  .send { stroke: #1a7f37; }
  .store { stroke: #bc4c00; }
  @media (prefers-color-scheme: dark) {
    .receive { stroke: #58a6ff; }
    .send { stroke: #3fb950; }
    .store { stroke: #f0883e; }
  }`;

// What a rate may lack.
const NEARLY = 1.02;

/** A scale of a panel, with logarithms. */
interface Scale {
  ticks: number[];
  at(value: number): number;
}

/** The medians of one line: what is varied, and its metrics. */
type Line = { x: number; micros: number; bytes: number }[];

/** Draws what a datagram costs along one axis, as SVG. */
export function curveChart(outcome: Outcome, axis: Axis): string {
  const { machine, rounds, figures } = outcome;
  const results = new Results(figures);
  const lines = new Map(
    (Object.keys(SERIES) as Series[])
      .map((series) => [series, lineOf(results, series, axis)] as const)
      .filter(([, line]) => line.length > 0),
  );
  const about = rounds === 1
    ? `${machine}; one round`
    : `${machine}; medians of ${rounds} rounds`;
  const title = `CPU time and memory by ${AXES[axis].title}`;
  return svg(WIDTH, HEIGHT, STYLE, title, [
    ...PANELS.map((_, i) => panel(lines, axis, i)),
    ...[...lines.keys()].map(legend),
    text(LEFT, HEIGHT - 10, "about", about),
  ]);
}

function lineOf(results: Results, series: Series, axis: Axis): Line {
  return AXES[axis].values.flatMap((value) => {
    const id = idOf(series, pointOn(axis, value));
    const of = (metric: string) => results.of(id, metric);
    if (of("micros").length === 0) return [];
    const [x, micros, bytes] = ["perSecond", "micros", "bytes"]
      .map((metric) => median(of(metric))) as [number, number, number];
    return [{ x: axis === "rate" ? x : value, micros, bytes }];
  });
}

function panel(
  lines: ReadonlyMap<Series, Line>,
  axis: Axis,
  index: number,
): string {
  const { metric, title, scale } = PANELS[index]!;
  const left = LEFT + index * (PANEL + GAP);
  const all = [...lines.values()].flat();
  const x = scaleOf(all.map((point) => point.x), left, left + PANEL);
  const y = scaleOf(all.map((point) => point[metric] / scale), BOTTOM, TOP);
  return [
    text(left, 24, "title", title),
    ...y.ticks.map((value) =>
      line("grid", left, left + PANEL, y.at(value), y.at(value)) +
      text(left - 8, y.at(value) + 4, "tick", shown(value), "end")
    ),
    ...x.ticks.map((value) =>
      line("grid", x.at(value), x.at(value), TOP, BOTTOM) +
      text(x.at(value), BOTTOM + 16, "tick", shown(value), "middle")
    ),
    text(left + PANEL / 2, BOTTOM + 38, "label", AXES[axis].title, "middle"),
    ...[...lines].map(([series, points]) =>
      path(
        series,
        points.map((point) => [x.at(point.x), y.at(point[metric] / scale)]),
      )
    ),
  ].join("\n");
}

function legend(series: Series, index: number): string {
  const y = TOP + 10 + index * 24;
  return path(series, [[LEGEND, y], [LEGEND + 28, y]]) +
    text(LEGEND + 36, y + 4, "label", SERIES[series].label);
}

function path(series: Series, points: readonly (readonly number[])[]): string {
  const { work, implementation, inRuns } = SERIES[series];
  const style = inRuns ? "runs" : implementation;
  const steps = points.map(([x = 0, y = 0]) => `${round(x)} ${round(y)}`);
  return `<path class="${work} ${style}" d="M${steps.join("L")}"/>`;
}

/**
 * Makes a scale of whole powers of ten from one coordinate to another. What lacks
 * little to a power of ten, as a rate that a sender should have, begins there.
 */
function scaleOf(
  values: readonly number[],
  from: number,
  to: number,
): Scale {
  const low = Math.floor(Math.log10(NEARLY * Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  return {
    ticks: Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i)),
    at: (value) =>
      from + (Math.log10(value) - low) / (high - low) * (to - from),
  };
}

function shown(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  return value >= 1e3 ? `${value / 1e3}k` : `${Number(value.toPrecision(1))}`;
}
