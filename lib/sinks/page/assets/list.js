// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The messages: at most so many rows, the newest on top. */
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

/** @type {Entry[]} What waits for the next frame, or for "resume". */
let waiting = [];
/** How many came while the list was paused. */
let held = 0;
let paused = false;
let frame = 0;
/** @type {WeakMap<Element, string>} What the filter looks at. */
const searchable = new WeakMap();

/**
 * The element of that id.
 *
 * @template {HTMLElement} E
 * @param {string} id
 * @param {new () => E} Kind
 * @returns {E}
 */
export function find(id, Kind) {
  const found = document.getElementById(id);
  if (found instanceof Kind) return found;
  throw new Error(`there is no ${id}`);
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
  }: they come too fast to show all. The totals are exact.`;
  if (paused) sayPaused();
  else draw();
}

/** Says how many messages are missing here. @param {number} skipped */
export function addSkipped(skipped) {
  if (skipped > 0) add({ messages: [], skipped, oneOf: 1 });
}

/** Empties the list: what comes next has nothing to do with it. */
export function clear() {
  waiting = [];
  held = 0;
  rows.replaceChildren();
  sayEmpty();
  if (paused) sayPaused();
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
  sayEmpty();
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

function sayEmpty() {
  const total = rows.childElementCount;
  const none = rows.querySelector("tr:not([hidden])") === null;
  empty.hidden = !none;
  empty.textContent = total === 0
    ? "No messages yet."
    : `None of the last ${count(total, "message")} matches.`;
}

function sayPaused() {
  pause.textContent = held === 0 ? "Resume" : `Resume (${number(held)} new)`;
}

filter.addEventListener("input", () => {
  for (const row of Array.from(rows.children)) {
    if (!(row instanceof HTMLElement)) continue;
    const text = searchable.get(row);
    row.hidden = text !== undefined && !text.includes(wanted());
  }
  sayEmpty();
});

pause.addEventListener("click", () => {
  paused = !paused;
  if (paused) {
    held = 0;
    sayPaused();
  } else {
    pause.textContent = "Pause";
    show();
  }
});
