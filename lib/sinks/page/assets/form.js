// @ts-check
/// <reference lib="dom" />
/** The form that sends a message to the server, and the replies. */
import { element, find } from "./element.js";
import { payload } from "./row.js";
import { escapeControls } from "./text.js";

const MAX_EXCHANGES = 20;

const form = find("send", HTMLFormElement);
const text = find("text", HTMLTextAreaElement);
const list = find("sent-list", HTMLElement);

form.addEventListener("submit", (event) => {
  event.preventDefault();
  send(text.value);
  if (document.activeElement === text) text.select();
});

text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  form.requestSubmit();
});

/** @param {string} message */
async function send(message) {
  const exchange = element("li");
  const sent = element("p", escapeControls(message), { class: "text" });
  const reply = element("p", "waiting for a reply…", {
    class: "reply mark",
  });
  exchange.append(sent, reply);
  list.prepend(exchange);
  while (list.childElementCount > MAX_EXCHANGES) {
    list.lastElementChild?.remove();
  }
  reply.replaceWith(await replyTo(message));
}

/** @param {string} message */
async function replyTo(message) {
  try {
    const response = await fetch("send", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ text: message }),
    });
    const { answer, error } = await response.json();
    if (error !== undefined) return failed(String(error));
    if (answer === null) {
      return element("p", "no reply", { class: "reply mark" });
    }
    const line = element("p", "", { class: "reply" });
    line.append(payload(answer));
    return line;
  } catch {
    return failed("not sent: no connection");
  }
}

/** @param {string} reason */
function failed(reason) {
  return element("p", escapeControls(reason), { class: "reply mark warn" });
}
