// @ts-check
/// <reference lib="dom" />
/** The form that sends a message to the server, and the answers. */
import { find } from "./list.js";
import { element, payload } from "./row.js";
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
  const question = element("p", escapeControls(message), { class: "text" });
  const answer = element("p", "waiting for an answer…", {
    class: "answer mark",
  });
  exchange.append(question, answer);
  list.prepend(exchange);
  while (list.childElementCount > MAX_EXCHANGES) {
    list.lastElementChild?.remove();
  }
  answer.replaceWith(await answerTo(message));
}

/** @param {string} message */
async function answerTo(message) {
  try {
    const response = await fetch("/send", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ text: message }),
    });
    const { answer, error } = await response.json();
    if (error !== undefined) return failed(String(error));
    if (answer === null) {
      return element("p", "no answer", { class: "answer mark" });
    }
    const line = element("p", "", { class: "answer" });
    line.append(payload(answer));
    return line;
  } catch {
    return failed("not sent: no connection");
  }
}

/** @param {string} why */
function failed(why) {
  return element("p", escapeControls(why), { class: "answer mark warn" });
}
