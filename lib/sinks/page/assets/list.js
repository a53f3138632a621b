// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The list of messages: at most 500 rows, the newest on top. */
import { find } from "./element.js";
import { messageRow, skippedRow } from "./row.js";
import { count, number, shownText } from "./text.js";

/** @import { Message } from "./row.js" */

const MAX_ROWS = 500;

const rows = find("rows", HTMLElement);
const empty = find("empty", HTMLElement);
const filter = find("filter", HTMLInputElement);
const pause = find("pause", HTMLButtonElement);
const sampled = find("sampled", HTMLElement);

/** @type {Message[]} Messages that wait for the next frame, or for "Resume". */
let waiting = [];
/** @type {{ row: HTMLElement, id: number }[]} The rows of messages, oldest first. */
let shown = [];
/** The number of the newest message, shown or waiting. */
let newest = 0;
/** How many messages arrived while the list was paused. */
let held = 0;
let paused = false;
let frame = 0;
/** @type {WeakMap<Element, string>} The text of each row, for the filter. */
const searchable = new WeakMap();

/**
 * Adds messages, oldest first, unless they are there.
 *
 * @param {Message[]} messages
 */
export function add(messages) {
  const added = messages.filter(({ id }) => id > newest);
  newest = added.at(-1)?.id ?? newest;
  waiting = [...waiting, ...added].slice(-MAX_ROWS);
  held += added.length;
  if (paused) showPaused();
  else draw();
}

/** Empties the list: the next messages are of another log. */
export function clear() {
  waiting = [];
  shown = [];
  newest = 0;
  held = 0;
  rows.replaceChildren();
  showState();
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
  for (const message of waiting) {
    const before = shown.at(-1)?.id ?? message.id - 1;
    const skipped = message.id - before - 1;
    if (skipped > 0) fragment.prepend(gap(skipped));
    const row = rowOf(message);
    fragment.prepend(row);
    shown.push({ row, id: message.id });
  }
  waiting = [];
  held = 0;
  rows.prepend(fragment);
  while (rows.childElementCount > MAX_ROWS) rows.lastElementChild?.remove();
  shown = shown.filter(({ row }) => row.isConnected);
  // Below the oldest message nothing is missing.
  while (rows.lastElementChild?.matches(".skipped")) {
    rows.lastElementChild.remove();
  }
  showState();
}

/** @param {Message} message */
function rowOf(message) {
  const row = messageRow(message);
  const text = `${message.from} ${shownText(message)}`.toLowerCase();
  searchable.set(row, text);
  row.hidden = !text.includes(wanted());
  return row;
}

/** @param {number} skipped */
function gap(skipped) {
  const row = skippedRow(skipped);
  row.hidden = wanted() !== "";
  return row;
}

function wanted() {
  return filter.value.trim().toLowerCase();
}

/** Shows what the rows do not: that there are none, or that some are missing. */
function showState() {
  const none = rows.querySelector("tr:not([hidden])") === null;
  empty.hidden = !none;
  empty.textContent = shown.length === 0
    ? "No messages yet."
    : `No match in the last ${count(shown.length, "message")}.`;
  const [first] = shown;
  const last = shown.at(-1);
  const all = first && last ? last.id - first.id + 1 : 0;
  sampled.hidden = all === shown.length;
  sampled.textContent = `Showing ${
    shareOf(shown.length, all)
  } messages in the list: too many came to show all. The totals are exact.`;
}

/**
 * @param {number} part
 * @param {number} all
 */
function shareOf(part, all) {
  return all < 2 * part
    ? `${number(part)} of ${number(all)}`
    : `1 of ${number(Math.round(all / part))}`;
}

function showPaused() {
  pause.textContent = held === 0 ? "Resume" : `Resume (${number(held)} new)`;
}

filter.addEventListener("input", () => {
  for (const row of Array.from(rows.children)) {
    if (!(row instanceof HTMLElement)) continue;
    const text = searchable.get(row);
    row.hidden = text === undefined
      ? wanted() !== ""
      : !text.includes(wanted());
  }
  showState();
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
