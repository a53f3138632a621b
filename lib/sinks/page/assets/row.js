// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** A row of the table, and its bytes as hex. */
import { element } from "./element.js";
import { count, escapeControls, hexOf, number, shownText } from "./text.js";
import { timeElement } from "./time.js";

/**
 * @typedef {object} Message A message as the server sends it.
 * @property {number} id
 * @property {string} time
 * @property {string} from
 * @property {number} size
 * @property {boolean} truncated
 * @property {string} [text]
 * @property {string} [base64]
 * @property {boolean} [cut] Whether these are only the first bytes.
 */

let hexDumps = 0;

/**
 * Creates the row of a message.
 *
 * @param {Message} message
 * @returns {HTMLTableRowElement}
 */
export function messageRow(message) {
  const row = element("tr", "", { role: "row" });
  const timeCell = cell("time");
  timeCell.append(timeElement(message.time));
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
 * Creates the cell of the sender. In a narrow column the port is on a second line.
 *
 * @param {Message} message
 */
function fromCell({ from }) {
  const [, host = "", port = ""] = /^(?:udp:\/\/)?(.*?)(:\d+)?$/s.exec(from) ??
    [];
  const created = cell("from", escapeControls(host));
  created.append(element("wbr"), port);
  return created;
}

/**
 * Creates a row that states how many messages are missing.
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
 * Creates the text of a message, with marks if it is empty, cut or truncated.
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
  const id = `hex-${++hexDumps}`;
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
 * Fetches all bytes of a large message from the server.
 *
 * @param {number} id
 */
async function wholeHex(id) {
  try {
    const response = await fetch(`messages?after=${id - 1}&limit=1`);
    if (!response.ok) return `cannot be fetched: HTTP ${response.status}`;
    const [message] = await response.json();
    return message?.id === id
      ? hexOf(message)
      : "the server does not have it any more";
  } catch {
    return "cannot be fetched: no connection";
  }
}
