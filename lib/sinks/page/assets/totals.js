// @ts-check
/// <reference lib="dom" />
/** The totals and the counts, as the server sends them. */
import { element, find } from "./element.js";
import { bytes, number } from "./text.js";

/**
 * @typedef {Record<string, number>} Counts
 *
 * @typedef {object} Stats
 * @property {number} received
 * @property {number} bytes
 * @property {number} truncated
 * @property {number} waiting
 * @property {number} sent
 * @property {number} sentBytes
 * @property {number} sendFailed
 * @property {Counts} dropped
 * @property {Counts} [withheld]
 * @property {number | null} [kernelDrops] `null` if it is not known.
 * @property {Record<string, Counts>} sinks
 */

const counts = find("counts", HTMLElement);

/** @type {Map<string, Text>} The texts of the values, so that only changes are drawn. */
let shown = new Map();

/** @param {Stats} stats */
export function showTotals(stats) {
  const dropped = sum(stats.dropped) + (stats.kernelDrops ?? 0);
  put("received", number(stats.received));
  put("bytes", bytes(stats.bytes));
  // Perhaps the system dropped more.
  const more = stats.kernelDrops === null ? "≥ " : "";
  put("dropped", more + number(dropped));
  put("sent", number(stats.sent));
  find("dropped", HTMLElement).classList.toggle("warn", dropped > 0);
  const groups = groupsOf(stats);
  const names = groups.flatMap(([group, values]) =>
    Object.keys(values).map((name) => `${group}\n${name}`)
  );
  if (names.length !== shown.size || names.some((name) => !shown.has(name))) {
    build(groups);
  }
  for (const [group, values] of groups) {
    for (const [name, value] of Object.entries(values)) {
      const text = shown.get(`${group}\n${name}`);
      if (text === undefined) continue;
      text.data = value === null ? "unknown" : number(value);
    }
  }
}

/**
 * @param {Stats} stats
 * @returns {[string, Record<string, number | null>][]}
 */
function groupsOf(stats) {
  const { kernelDrops, withheld = {} } = stats;
  /** @type {ReturnType<typeof groupsOf>} */
  const groups = [
    ["Socket", {
      waiting: stats.waiting,
      truncated: stats.truncated,
      "bytes sent": stats.sentBytes,
      "failed sends": stats.sendFailed,
    }],
    ["Dropped", {
      ...spelled(stats.dropped),
      ...(kernelDrops === undefined ? {} : { "by the system": kernelDrops }),
    }],
    ["Replies withheld", spelled(withheld)],
  ];
  for (const [name, values] of Object.entries(stats.sinks)) {
    groups.push([`Sink ${name}`, spelled(values)]);
  }
  return groups.filter(([, values]) => Object.keys(values).length > 0);
}

/** Writes `queueFull` as "queue full". @param {Counts} values */
function spelled(values) {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
      value,
    ]),
  );
}

/** @param {ReturnType<typeof groupsOf>} groups */
function build(groups) {
  shown = new Map();
  counts.replaceChildren();
  for (const [group, values] of groups) {
    const part = element("div", "", { class: "group" });
    part.append(element("dt", group));
    for (const name of Object.keys(values)) {
      const value = element("dd");
      const text = new Text("");
      const strong = element("span", "", { class: "value" });
      strong.append(text);
      value.append(element("span", name), " ", strong);
      part.append(value);
      shown.set(`${group}\n${name}`, text);
    }
    counts.append(part);
  }
}

/** @param {Counts} values */
function sum(values) {
  return Object.values(values).reduce((total, value) => total + value, 0);
}

/**
 * @param {string} id
 * @param {string} text
 */
function put(id, text) {
  const target = find(id, HTMLElement);
  if (target.textContent !== text) target.textContent = text;
}
