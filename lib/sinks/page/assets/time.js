// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The times of messages, with the date unless that is today's. */
import { element } from "./element.js";

let today = dayOf(new Date());

/**
 * Creates the element of a time, in the local zone.
 *
 * @param {string} iso
 */
export function timeElement(iso) {
  const created = element("time", "", { datetime: iso, title: iso });
  show(created);
  return created;
}

/** @param {HTMLElement} time */
function show(time) {
  const date = new Date(time.getAttribute("datetime") ?? "");
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => padded(part, 2)).join(":");
  const text = `${clock}.${padded(date.getMilliseconds(), 3)}`;
  const day = dayOf(date);
  time.textContent = day === today ? text : `${day} ${text}`;
}

/** @param {Date} date */
function dayOf(date) {
  const [year, month, day] = [
    padded(date.getFullYear(), 4),
    padded(date.getMonth() + 1, 2),
    padded(date.getDate(), 2),
  ];
  return `${year}-${month}-${day}`;
}

/**
 * @param {number} value
 * @param {number} digits
 */
function padded(value, digits) {
  return String(value).padStart(digits, "0");
}

/** Shows the dates of yesterday's messages as soon as the day has changed. */
function checkDay() {
  const day = dayOf(new Date());
  if (day === today) return;
  today = day;
  for (const time of document.querySelectorAll("time")) show(time);
}

// A tab that sleeps at midnight does it when it wakes up.
setInterval(checkDay, 1000);
document.addEventListener("visibilitychange", checkDay);
