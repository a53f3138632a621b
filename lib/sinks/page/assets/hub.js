// @ts-check
/// <reference lib="dom" />
/**
 * A shared worker: it follows the stream of events for all tabs of a browser, which
 * opens at most six connections to a server.
 */
import { follow } from "./stream.js";

/** @import { Message } from "./row.js" */

const MAX_MESSAGES = 500;

/** @type {Set<MessagePort>} The tabs that are seen. */
const tabs = new Set();
/** @type {Message[]} The newest messages, for a tab that is opened later. */
let messages = [];
/** @type {unknown} */
let stats;
/** @type {Parameters<import("./stream.js").OnState>} */
let state = ["waiting", "Connecting…"];
let log = newLog();

const stream = follow({
  messages(event) {
    messages = [...messages, ...event.messages].slice(-MAX_MESSAGES);
    send("messages", event);
  },
  reset() {
    messages = [];
    log = newLog();
    send("log", log);
  },
  stats(event) {
    stats = event;
    send("stats", event);
  },
}, (...given) => {
  state = given;
  send("state", state);
});

globalThis.addEventListener("connect", (event) => {
  const [tab] = /** @type {MessageEvent} */ (event).ports;
  if (tab === undefined) return;
  tab.onmessage = ({ data }) => data === "seen" ? join(tab) : leave(tab);
});

/** @param {MessagePort} tab */
function join(tab) {
  tabs.add(tab);
  // Those of another log would have the same numbers.
  tab.postMessage(["log", log]);
  tab.postMessage(["messages", { messages }]);
  if (stats !== undefined) tab.postMessage(["stats", stats]);
  tab.postMessage(["state", state]);
  stream.start();
}

/** @param {MessagePort} tab */
function leave(tab) {
  tabs.delete(tab);
  if (tabs.size === 0) stream.stop();
}

/**
 * @param {string} name
 * @param {unknown} data
 */
function send(name, data) {
  for (const tab of tabs) tab.postMessage([name, data]);
}

/** Identifies the messages of one log. */
function newLog() {
  return `${Date.now()} ${Math.random()}`;
}
