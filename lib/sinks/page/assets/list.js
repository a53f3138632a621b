// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The list of messages: at most 500 rows, the newest on top. */
import { messageRow, skippedRow } from "./row.js";
import { count, number, shownText } from "./text.js";

/** @import { Message } from "./row.js" */
/** @typedef {Message | { skipped: number }} Entry */

const MAX_ROWS = 500;

const rows = find("rows", HTMLElement);
const empty = find("empty", HTMLElement);
const filter = find("filter", HTMLInputElement);
const pause = find("pause", HTMLButtonElement);
const sampled = find("sampled", HTMLElement);

/** @type {Entry[]} Entries that wait for the next frame, or for "Resume". */
let waiting = [];
/** How many messages arrived while the list was paused. */
let held = 0;
let paused = false;
let frame = 0;
/** @type {WeakMap<Element, string>} The text of each row, for the filter. */
const searchable = new WeakMap();

/**
 * Returns the element with an id.
 *
 * @template {HTMLElement} E
 * @param {string} id
 * @param {new () => E} Kind
 * @returns {E}
 */
export function find(id, Kind) {
  const found = document.getElementById(id);
  if (found instanceof Kind) return found;
  throw new Error(`no element has the id ${id}`);
}

/**
 * Adds messages, oldest first.
 *
 * @param {{ messages: Message[], skipped: number, oneOf: number }} event
 */
export function add({ messages, skipped, oneOf }) {
  if (skipped > 0) waiting.push({ skipped });
  for (const message of messages) waiting.push(message);
  if (waiting.length > MAX_ROWS) waiting = waiting.slice(-MAX_ROWS);
  held += messages.length;
  sampled.hidden = oneOf <= 1;
  sampled.textContent = `Showing 1 of ${
    number(Math.round(oneOf))
  } messages: there are too many to show all. The totals are exact.`;
  if (paused) showPaused();
  else draw();
}

/** Adds a row that states how many messages are missing. @param {number} skipped */
export function addSkipped(skipped) {
  if (skipped > 0) add({ messages: [], skipped, oneOf: 1 });
}

/** Empties the list: the next messages are of another log. */
export function clear() {
  waiting = [];
  held = 0;
  rows.replaceChildren();
  showEmpty();
  if (paused) showPaused();
}

function draw() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    if (!paused) show();
  });
}

function show() {
  const fragment = document.createDocumentFragment();
  for (const entry of waiting.reverse()) fragment.append(rowOf(entry));
  waiting = [];
  held = 0;
  rows.prepend(fragment);
  while (rows.childElementCount > MAX_ROWS) rows.lastElementChild?.remove();
  showEmpty();
}

/** @param {Entry} entry */
function rowOf(entry) {
  if ("skipped" in entry) return skippedRow(entry.skipped);
  const row = messageRow(entry);
  const text = `${entry.from} ${shownText(entry)}`.toLowerCase();
  searchable.set(row, text);
  row.hidden = !text.includes(wanted());
  return row;
}

function wanted() {
  return filter.value.trim().toLowerCase();
}

function showEmpty() {
  const total = rows.childElementCount;
  const none = rows.querySelector("tr:not([hidden])") === null;
  empty.hidden = !none;
  empty.textContent = total === 0
    ? "No messages yet."
    : `No match in the last ${count(total, "message")}.`;
}

function showPaused() {
  pause.textContent = held === 0 ? "Resume" : `Resume (${number(held)} new)`;
}

filter.addEventListener("input", () => {
  for (const row of Array.from(rows.children)) {
    if (!(row instanceof HTMLElement)) continue;
    const text = searchable.get(row);
    row.hidden = text !== undefined && !text.includes(wanted());
  }
  showEmpty();
});

pause.addEventListener("click", () => {
  paused = !paused;
  if (paused) {
    held = 0;
    showPaused();
  } else {
    pause.textContent = "Pause";
    show();
  }
});
