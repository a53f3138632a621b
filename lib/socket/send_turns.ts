import type { Clock } from "../clock.ts";
import { dateNow } from "../platform.ts";
import { quickTurnIsDue, turnCount, turned, turnIsDue } from "../turns.ts";

// What a loop sends in its first moments is sent at once. If other loops have used
// these moments up, only its first messages are, which suffices for most.
const FIRST_MS = 2;
const FIRST_STEPS = 64;
// On a virtual clock turns must not depend on the machine's speed.
const VIRTUAL_STEPS = 256;

// All loops that begin in one turn of the event loop share these moments.
let beganAt = 0;
let begunIn = -1;

/**
 * The turns of a loop that sends. What is sent in the first 2 ms (64 messages, if
 * other loops run) is sent at once, in the order of the calls, whatever ran
 * before. On a virtual clock, time passes at each turn: it would stand still
 * otherwise, and no time limit be reached.
 */
export class SendTurns {
  readonly #clock: Clock;
  readonly #start = dateNow();
  // When the first loop of this turn began.
  readonly #others: number;
  #steps = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    // Begins to watch, so that turns are counted.
    turnIsDue();
    if (begunIn !== turnCount()) {
      begunIn = turnCount();
      beganAt = dateNow();
    }
    this.#others = beganAt;
  }

  /** Returns what to await after this step of the loop, if a turn is due. */
  due(): Promise<void> | undefined {
    this.#steps++;
    if (!this.#clock.isVirtual) {
      if (!quickTurnIsDue()) return undefined;
      const start = this.#steps > FIRST_STEPS ? this.#others : this.#start;
      return Math.abs(dateNow() - start) >= FIRST_MS ? turned() : undefined;
    }
    if (this.#steps % VIRTUAL_STEPS !== 0) return undefined;
    return new Promise((resolve) => void this.#clock.after(1, resolve));
  }
}
