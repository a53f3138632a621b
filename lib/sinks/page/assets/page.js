// @ts-check
/// <reference lib="dom" />
/** Connects the stream of events to the parts of the page. */
import { showRates } from "./chart.js";
import "./form.js";
import { find } from "./element.js";
import { add, clear } from "./list.js";
import { followWhileSeen } from "./tabs.js";
import { showTotals } from "./totals.js";

const state = find("state", HTMLElement);

followWhileSeen({
  messages: ({ messages }) => add(messages),
  reset: clear,
  stats: ({ stats, rates }) => {
    showTotals(stats);
    showRates(rates);
  },
}, (name, text) => {
  state.dataset["state"] = name;
  if (state.textContent !== text) state.textContent = text;
});
