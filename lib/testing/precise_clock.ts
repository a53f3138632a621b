import { type Clock, systemClock } from "../clock.ts";
import { setImmediate } from "../platform.ts";
import { TIMER_MS } from "../until.ts";
import { Timeline } from "./timeline.ts";

interface Event {
  callback: (() => void) | undefined;
}

// What is due within that time. Rounds of the event loop pass until it is: none
// if there is nothing.
const soon = new Timeline<Event>();
let isTurning = false;

/**
 * The system's clock, whose `after` is exact to some hundredths of a millisecond
 * unless the program is busy. That costs up to a millisecond of the processor's
 * time per call.
 */
export const preciseClock: Clock = {
  now: systemClock.now,
  turn: systemClock.turn,
  after(ms, callback) {
    const at = systemClock.now() + ms;
    const event: Event = { callback };
    const finish = () => {
      if (event.callback === undefined) return;
      soon.add(event, at);
      turn();
    };
    const early = Math.floor(ms - TIMER_MS);
    let cancel = () => {};
    if (early > 0) cancel = systemClock.after(early, finish);
    else finish();
    return () => {
      event.callback = undefined;
      cancel();
    };
  },
};

function turn(): void {
  if (isTurning) return;
  isTurning = true;
  setImmediate(round);
}

/** Calls back what is due, and goes on while something is left. */
function round(): void {
  isTurning = false;
  try {
    const now = systemClock.now();
    while (soon.next <= now) soon.take()!.item.callback?.();
  } finally {
    // Also if a callback has thrown. What was canceled is gone in a millisecond.
    if (soon.length > 0) turn();
  }
}
