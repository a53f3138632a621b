// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** One row of the table, and its bytes as hex. */
import { count, escapeControls, hexOf, number, shownText } from "./text.js";

/**
 * @typedef {object} Message What the server tells of one.
 * @property {number} id
 * @property {string} time
 * @property {string} from
 * @property {number} size
 * @property {boolean} truncated
 * @property {string} [text]
 * @property {string} [base64]
 * @property {boolean} [cut] Whether only the first bytes are here.
 */

let tables = 0;

/**
 * Everything from the network goes in as text, never as HTML.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {string} [text]
 * @param {Record<string, string>} [attributes]
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, text = "", attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  return made;
}

/**
 * A row for a message.
 *
 * @param {Message} message
 * @returns {HTMLTableRowElement}
 */
export function messageRow(message) {
  const row = element("tr", "", { role: "row" });
  const time = element("time", localTime(message.time), {
    datetime: message.time,
    title: message.time,
  });
  const timeCell = cell("time");
  timeCell.append(time);
  const size = cell("size", number(message.size));
  size.append(element("span", " B", { class: "unit" }));
  const content = cell("content");
  content.append(payload(message));
  const action = cell("action");
  action.append(hexButton(message, content));
  row.append(timeCell, fromCell(message), size, content, action);
  return row;
}

/**
 * Who sent it: where there is no room for all, the port goes below.
 *
 * @param {Message} message
 */
function fromCell({ from }) {
  const [, host, port] = /^(?:udp:\/\/)?(.*?)(:\d+)?$/s.exec(from) ?? [];
  const made = cell("from", escapeControls(host));
  made.append(element("wbr"), port ?? "");
  return made;
}

/**
 * A row that says how many messages are not here.
 *
 * @param {number} skipped
 */
export function skippedRow(skipped) {
  const row = element("tr", "", { role: "row", class: "skipped" });
  const text = `${count(skipped, "message")} skipped here`;
  const only = cell("note", text);
  only.colSpan = 5;
  row.append(only);
  return row;
}

/**
 * What is said of a message: its text, and whether there is more of it.
 *
 * @param {Omit<Message, "id" | "time">} message
 */
export function payload(message) {
  const line = element("span", "", { class: "payload" });
  const text = shownText(message);
  line.append(
    text === ""
      ? element("span", "empty", { class: "mark" })
      : element("span", text, { class: "text" }),
  );
  if (message.cut) {
    line.append(" ", element("span", "first 1,024 bytes", { class: "mark" }));
  }
  if (message.truncated) {
    line.append(" ", element("span", "truncated", { class: "mark warn" }));
  }
  return line;
}

/**
 * @param {string} name
 * @param {string} [text]
 */
function cell(name, text) {
  return element("td", text, { role: "cell", class: name });
}

/**
 * @param {Message} message
 * @param {HTMLElement} content
 */
function hexButton(message, content) {
  const id = `hex-${++tables}`;
  const button = element("button", "hex", {
    type: "button",
    class: "quiet",
    "aria-expanded": "false",
    "aria-controls": id,
    "aria-label": `Bytes of message ${message.id} as hex`,
  });
  const hex = element("pre", "", { id, class: "hex", tabindex: "0" });
  hex.setAttribute("aria-label", `Bytes of message ${message.id}`);
  hex.hidden = true;
  content.append(hex);
  button.addEventListener("click", async () => {
    const open = hex.hidden;
    hex.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (!open || hex.textContent !== "") return;
    hex.textContent = message.cut ? await wholeHex(message.id) : hexOf(message);
  });
  return button;
}

/**
 * The server keeps the whole of a large message.
 *
 * @param {number} id
 */
async function wholeHex(id) {
  try {
    const response = await fetch(`/messages?after=${id - 1}&limit=1`);
    if (!response.ok) return `cannot be fetched: ${response.status}`;
    const [message] = await response.json();
    return message?.id === id ? hexOf(message) : "not kept any more";
  } catch {
    return "cannot be fetched: no connection";
  }
}

/** @param {string} iso */
function localTime(iso) {
  const time = new Date(iso);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map(two).join(":");
  return `${clock}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}
