import { rate, tenths } from "./format.ts";
import type { Row } from "./group.ts";
import type { Outcome } from "./outcome.ts";
import { median, Results } from "./results.ts";
import { line, round, STYLE as COMMON, svg, text } from "./svg.ts";

/** A panel of the chart: a dot for each row, on a logarithmic scale. */
interface Panel {
  group: string;
  size: number;
  title: string;
  metric: string;
  text(value: number): string;
}

const PANELS: Panel[] = [
  ...[100, 1200].map((size) => ({
    ...{ group: "pairs", size, metric: "received" },
    title: `Datagrams of ${
      size.toLocaleString("en")
    } bytes received per second, same implementation on both ends (log scale)`,
    text: rate,
  })),
  {
    ...{ group: "round-trip", size: 100, metric: "p50" },
    title: "Round trip of 100 bytes, median in µs (less is better)",
    text: tenths,
  },
];

const WIDTH = 1040;
const LEFT = 500;
const RIGHT = 120;
const ROW = 24;
const HEAD = 62;
const FOOT = 44;

const STYLE = `${COMMON}
  .ours { font-weight: 600; }
  .spread { stroke: #6e7781; stroke-width: 3; stroke-linecap: round; }
  circle { fill: #6e7781; }
  .spread.ours { stroke: #0969da; }
  circle.ours { fill: #0969da; }
  @media (prefers-color-scheme: dark) {
    .spread { stroke: #9198a1; }
    circle { fill: #9198a1; }
    .spread.ours { stroke: #58a6ff; }
    circle.ours { fill: #58a6ff; }
  }`;

/**
 * Draws the chart of a run, as SVG. A line spans the rounds, a dot is their
 * median; this library is in color.
 */
export function chart(outcome: Outcome): string {
  const results = new Results(outcome.figures);
  let top = 0;
  const panels = PANELS.flatMap((each) => {
    const rows = outcome.rows.filter(({ group, size }) =>
      group === each.group && size === each.size
    );
    if (rows.length === 0) return [];
    const start = top;
    top += HEAD + rows.length * ROW + FOOT;
    return `<g transform="translate(0 ${start})">${
      panel(each, rows, results)
    }</g>`;
  });
  const about = `${outcome.machine}; ${outcome.rounds} rounds`;
  return svg(
    ...[WIDTH, top + 20, STYLE] as const,
    "Datagrams per second and round trips, side by side",
    [...panels, text(16, top + 4, "about", about)],
  );
}

function panel(
  { title, metric, text: shown }: Panel,
  rows: readonly Row[],
  results: Results,
): string {
  const all = rows.flatMap(({ id }) => results.of(id, metric));
  const low = Math.floor(Math.log10(Math.min(...all)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...all))));
  const x = (value: number) =>
    LEFT + (Math.log10(value) - low) / (high - low) * (WIDTH - LEFT - RIGHT);
  const bottom = HEAD + rows.length * ROW;
  const ticks = Array.from(
    { length: high - low + 1 },
    (_, i) => 10 ** (low + i),
  );
  return [
    text(16, 24, "title", title),
    ...ticks.map((value) =>
      line("grid", x(value), x(value), HEAD - 18, bottom) +
      text(x(value), bottom + 16, "tick", value.toLocaleString("en"), "middle")
    ),
    ...rows.map(({ id, label }, i) => {
      const values = results.of(id, metric);
      const [min, max] = [Math.min(...values), Math.max(...values)];
      const y = HEAD + i * ROW;
      const ours = label.startsWith("Pli") ? " ours" : "";
      return text(LEFT - 14, y + 4, `label${ours}`, label, "end") +
        line(`spread${ours}`, x(min), x(max), y, y) +
        `<circle class="${ours.trim()}" cx="${
          round(x(median(values)))
        }" cy="${y}" r="5"/>` +
        text(x(max) + 10, y + 4, `value${ours}`, shown(median(values)));
    }),
  ].join("\n");
}
