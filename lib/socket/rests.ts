import type { Clock } from "../clock.ts";
import { quickTurnIsDue, turn } from "../turns.ts";

// After so many reports about earlier sends in a row there are pauses, one per
// 64 further reports: if every `receive` ends so, it must not keep a core busy.
const MAX_REPORTS = 1024;
const REPORTS = 64;
const PAUSE_MS = 10;

/**
 * The rests of an inbox. Before more is passed on, the event loop turns, or a
 * pause ends.
 */
export class Rests {
  /** Whether it rests. */
  isResting = false;
  /** Whether that is a pause: for long, there were only reports. */
  isPausing = false;
  /** How many rests have ended. */
  count = 0;
  /** How many reports about earlier sends came in a row. */
  reports = 0;
  readonly #clock: Clock;
  readonly #goOn: () => void;
  #endPause: (() => void) | undefined;

  /** @param goOn Called after each rest. */
  constructor(clock: Clock, goOn: () => void) {
    this.#clock = clock;
    this.#goOn = goOn;
  }

  /** Returns whether the event loop has to turn first. Starts that if it is due. */
  turns(): boolean {
    if (this.isResting) return true;
    if (this.#clock.isVirtual || !quickTurnIsDue()) return false;
    this.#begin(turn);
    return true;
  }

  /** Calls back, after a turn if one is due. */
  inTurn(callback: () => void): void {
    if (this.#clock.isVirtual || !quickTurnIsDue()) callback();
    else turn(callback);
  }

  /** Rests for a turn. */
  rest(): void {
    const { isVirtual } = this.#clock;
    this.#begin(isVirtual ? (end) => void this.#clock.turn(end) : turn);
  }

  /** Notes a report about an earlier send. Many in a row make no busy loop. */
  report(): void {
    if (++this.reports < MAX_REPORTS || this.reports % REPORTS !== 0) return;
    this.isPausing = true;
    this.#begin((end) => this.#endPause = this.#clock.after(PAUSE_MS, end));
  }

  /** Ends a pause for good: it calls nothing back any more. */
  close(): void {
    this.#endPause?.();
  }

  /** Rests until the callback that `start` gets is called. */
  #begin(start: (end: () => void) => void): void {
    this.isResting = true;
    start(() => {
      this.isResting = this.isPausing = false;
      this.count++;
      this.#goOn();
    });
  }
}
