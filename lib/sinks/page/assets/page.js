// @ts-check
/// <reference lib="dom" />
/** Connects the stream of events to the parts of the page. */
import { showRate } from "./chart.js";
import "./form.js";
import { add, addSkipped, clear, find } from "./list.js";
import { follow } from "./stream.js";
import { showTotals } from "./totals.js";

const state = find("state", HTMLElement);

follow({
  messages: add,
  start: ({ skipped }) => addSkipped(skipped),
  reset: clear,
  stats: ({ time, stats }) => {
    showTotals(stats);
    showRate(time, stats.received);
  },
}, (name, text) => {
  state.dataset["state"] = name;
  if (state.textContent !== text) state.textContent = text;
});
