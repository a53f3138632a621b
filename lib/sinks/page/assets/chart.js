// @ts-check
/// <reference lib="dom" />
/** A chart of messages per second, for the last two minutes. */
import { find } from "./list.js";
import { number } from "./text.js";

const SECONDS = 120;
const HEIGHT = 120;

/** @type {any} */
const { uPlot } = globalThis;

const container = find("chart", HTMLElement);
const output = find("rate", HTMLElement);

/** @type {number[]} */
let times = [];
/** @type {(number | null)[]} */
let rates = [];
/** @type {{ time: number, received: number } | undefined} */
let last;
/** @type {any} */
let plot;

/**
 * Adds a point to the chart.
 *
 * @param {number} time In milliseconds.
 * @param {number} received The number of messages up to this time.
 */
export function showRate(time, received) {
  const before = last;
  last = { time, received };
  if (before === undefined || time <= before.time) return;
  if (received < before.received) return clear();
  const seconds = (time - before.time) / 1000;
  const rate = (received - before.received) / seconds;
  // A mean over a long interruption would be true of no second in it.
  times.push(time / 1000);
  rates.push(seconds > 5 ? null : rate);
  const tooOld = times.findIndex((at) => at > time / 1000 - SECONDS);
  times = times.slice(tooOld);
  rates = rates.slice(tooOld);
  output.textContent = number(Math.round(rate));
  if (plot === undefined) draw();
  else update();
}

/** Empties the chart: the server was restarted and counts from 0. */
function clear() {
  times = [];
  rates = [];
}

function update() {
  const now = times.at(-1);
  if (now === undefined) return;
  plot.setData([times, rates], false);
  const most = Math.max(10, ...rates.map((rate) => rate ?? 0));
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
    [times, rates],
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
