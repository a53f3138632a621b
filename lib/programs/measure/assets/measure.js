// @ts-check
/// <reference lib="dom" />
/** The page of a measurement: figures, two charts, and the result. */

const HEIGHT = 220;
const MOST = 600;
const LOST = {
  ownSend: "sending",
  out: "there",
  reflector: "reflector",
  back: "back",
  ownReceive: "receiving",
  late: "too late",
  unknown: "unknown",
};

/** @type {any} */
const { uPlot } = globalThis;

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
function find(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`no element ${id}`);
  return element;
}

/**
 * A line per series over time, for the newest seconds.
 *
 * @param {string} id
 * @param {readonly string[]} colors Names of the page's colors.
 */
function chart(id, colors) {
  const container = find(id);
  /** @type {(number | null)[][]} */
  let data = [[], ...colors.map(() => [])];
  /** @type {any} */
  let plot;

  function draw() {
    plot?.destroy();
    const style = getComputedStyle(container);
    const color = (/** @type {string} */ name) =>
      style.getPropertyValue(name).trim();
    const axis = {
      stroke: color("--muted"),
      grid: { stroke: color("--rule"), width: 1 },
      ticks: { show: false },
    };
    plot = new uPlot(
      {
        width: container.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { time: false },
          y: {
            range: (
              /** @type {unknown} */ _plot,
              /** @type {number} */ _least,
              /** @type {number} */ most,
            ) => [0, most > 0 ? most * 1.1 : 1],
          },
        },
        axes: [
          {
            ...axis,
            values: (/** @type {unknown} */ _, /** @type {number[]} */ times) =>
              times.map((time) => `${time} s`),
          },
          { ...axis, size: 60 },
        ],
        series: [
          {},
          ...colors.map((name) => ({ stroke: color(name), width: 1.5 })),
        ],
      },
      data,
      container,
    );
  }

  new ResizeObserver(() => {
    plot?.setSize({ width: container.clientWidth, height: HEIGHT });
  }).observe(container);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  return {
    clear() {
      data = data.map(() => []);
      draw();
    },
    /** @param {(number | null)[]} values The time in seconds, and the series'. */
    add(values) {
      data = data.map((series, n) =>
        [...series, values[n] ?? null].slice(-MOST)
      );
      plot?.setData(data);
    },
  };
}

const delays = chart("delays", ["--accent", "--good", "--warn"]);
const rates = chart("rates", ["--muted", "--accent"]);
const totals = { sent: 0, received: 0, twice: 0, reordered: 0 };

/** @param {{ out: number, back: number }} directions */
function both({ out, back }) {
  return out + back;
}

/**
 * @param {string} id
 * @param {string | number} value
 */
function show(id, value) {
  find(id).textContent = `${value}`;
}

/** @param {any} rtt */
function showDelays(rtt) {
  for (const name of ["p50", "p99", "max"]) {
    show(name, rtt.count === 0 ? "–" : rtt[name].toFixed(3));
  }
}

/** @type {Record<string, (data: any) => void>} */
const handlers = {
  start({ to }) {
    show("to", to);
    document.title = `Pli: ${to}`;
    delays.clear();
    rates.clear();
    Object.assign(totals, { sent: 0, received: 0, twice: 0, reordered: 0 });
  },
  interval({ startMs, durationMs, rttMs, ...counts }) {
    const time = Math.round((startMs + durationMs) / 100) / 10;
    const has = rttMs.count > 0;
    delays.add([
      time,
      ...["p50", "p99", "max"].map((name) => has ? rttMs[name] : null),
    ]);
    const perSecond = (/** @type {number} */ count) =>
      durationMs > 0 ? count / durationMs * 1000 : null;
    rates.add([time, perSecond(counts.sent), perSecond(counts.received)]);
    totals.sent += counts.sent;
    totals.received += counts.received;
    totals.twice += both(counts.duplicates);
    totals.reordered += both(counts.reordered);
    for (const [name, total] of Object.entries(totals)) show(name, total);
    show("waiting", counts.waiting);
    showDelays(rttMs);
  },
  result({ sent, received, duplicates, reordered, rttMs, ...rest }) {
    source.close();
    show("sent", sent);
    show("received", received);
    show("twice", both(duplicates));
    show("reordered", both(reordered));
    show("waiting", 0);
    showDelays(rttMs);
    const { valid, invalid, lost } = rest;
    find("lost-names").replaceChildren(
      ...Object.values(LOST).map((name) => {
        const cell = document.createElement("th");
        cell.textContent = name;
        return cell;
      }),
    );
    find("lost").replaceChildren(
      ...Object.keys(LOST).map((name) => {
        const cell = document.createElement("td");
        cell.textContent = `${lost[name]}`;
        return cell;
      }),
    );
    show("verdict", valid ? "Valid" : `Invalid: ${invalid.join("; ")}`);
    find("verdict").classList.toggle("invalid", !valid);
    find("result").hidden = false;
    state("done", "Done");
  },
};

/**
 * @param {string} name
 * @param {string} text
 */
function state(name, text) {
  find("state").dataset["state"] = name;
  show("state", text);
}

const source = new EventSource("events");
for (const [name, handler] of Object.entries(handlers)) {
  source.addEventListener(name, (event) => handler(JSON.parse(event.data)));
}
source.addEventListener("open", () => state("live", "Live"));
source.addEventListener("error", () => state("waiting", "No connection"));
