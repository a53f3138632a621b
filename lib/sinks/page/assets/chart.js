// @ts-check
/// <reference lib="dom" />
/** A chart of messages per second, for the last two minutes. */
import { find } from "./element.js";
import { number } from "./text.js";

const SECONDS = 120;
const HEIGHT = 120;

/** @type {any} */
const { uPlot } = globalThis;

const container = find("chart", HTMLElement);
const output = find("rate", HTMLElement);

/** @type {[times: number[], rates: number[]]} */
let data = [[], []];
/** @type {any} */
let plot;

/**
 * Shows the messages per second, as the server counted them.
 *
 * @param {{ until: number, perSecond: number[] }} rates The end of the last second
 * in milliseconds, and a number per second.
 */
export function showRates({ until, perSecond }) {
  const now = until / 1000;
  const first = now - perSecond.length + 1;
  data = [perSecond.map((_, i) => first + i), perSecond];
  const latest = perSecond.at(-1);
  output.textContent = latest === undefined ? "–" : number(latest);
  if (plot === undefined) draw();
  else update();
}

function update() {
  const [times, rates] = data;
  const now = times.at(-1);
  if (now === undefined) return;
  plot.setData(data, false);
  const most = Math.max(10, ...rates);
  plot.batch(() => {
    plot.setScale("x", { min: now - SECONDS, max: now });
    plot.setScale("y", { min: 0, max: most * 1.1 });
  });
}

function draw() {
  plot?.destroy();
  const colors = getComputedStyle(container);
  const [ink, grid, line, fill] = ["--muted", "--rule", "--accent", "--tint"]
    .map((name) => colors.getPropertyValue(name).trim());
  const font = "11px system-ui, sans-serif";
  const axis = { stroke: ink, font, ticks: { show: false } };
  plot = new uPlot(
    {
      width: container.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 20, 0, 0],
      scales: { x: { time: true, auto: false }, y: { auto: false } },
      axes: [
        { ...axis, grid: { show: false }, size: 22, space: 80, values: clock },
        {
          ...axis,
          grid: { stroke: grid, width: 1 },
          size: 48,
          space: 32,
          values: short,
        },
      ],
      series: [{}, { stroke: line, fill, width: 1.5, points: { show: false } }],
    },
    data,
    container,
  );
  update();
}

/**
 * @param {unknown} _plot
 * @param {number[]} values
 */
function clock(_plot, values) {
  return values.map((value) =>
    new Date(value * 1000).toLocaleTimeString("en-GB")
  );
}

/**
 * @param {unknown} _plot
 * @param {number[]} values
 */
function short(_plot, values) {
  return values.map((value) =>
    value >= 1000 ? `${number(value / 1000)}k` : number(value)
  );
}

new ResizeObserver(() => {
  plot?.setSize({ width: container.clientWidth, height: HEIGHT });
}).observe(container);

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (plot !== undefined) draw();
});
