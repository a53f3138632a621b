import type { Clock } from "../clock.ts";

// How long a loop may run before the event loop turns.
const LIMIT_MS = 2;
// Reading the time takes 0.03 to 0.1 µs, so quick steps do it once in this many.
const EVERY = 8;
// A busy event loop polls its sockets once in 61 rounds (see clock.ts), so every
// eighth turn has that many. If all turns had one, another socket waited 73 ms on
// average.
const LONG_TURN = 8;
const ROUNDS = 64;
// On a virtual clock turns must not depend on the machine's speed.
const VIRTUAL_STEPS = 256;

// There is one event loop, so all loops share its watch.
let isWatching = false;
let since = 0;
let seen = 0;
let left = 0;
let turns = 0;

/**
 * Returns whether the event loop has not turned for 2 ms. Loops ask this at each
 * step, and then await {@linkcode turn}, so that timers, signals and other
 * sockets go on. A loop whose steps wait for the system by themselves never has
 * to.
 */
export function turnIsDue(): boolean {
  if (--left > 0) return false;
  const now = Date.now();
  // Slow steps are watched one by one.
  left = now === seen ? EVERY : 1;
  seen = now;
  if (isWatching) return now - since >= LIMIT_MS || now < since;
  isWatching = true;
  since = now;
  setImmediate(turned);
  return false;
}

function turned(): void {
  isWatching = false;
}

/** Calls back after the event loop has turned. */
export function turn(callback: () => void): void {
  let rounds = ++turns % LONG_TURN === 0 ? ROUNDS : 1;
  const next = () => {
    if (--rounds > 0) setImmediate(next);
    else callback();
  };
  setImmediate(next);
}

/**
 * The turns of a loop that sends. What is sent in the first 2 ms is sent at once,
 * in the order of the calls, whatever ran before. On a virtual clock, time passes
 * at each turn: it would stand still otherwise, and no time limit be reached.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #start = Date.now();
  #steps = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns what to await after this step of the loop, if a turn is due. */
  due(): Promise<void> | undefined {
    if (!this.#clock.isVirtual) {
      return turnIsDue() && Math.abs(Date.now() - this.#start) >= LIMIT_MS
        ? new Promise(turn)
        : undefined;
    }
    if (++this.#steps % VIRTUAL_STEPS !== 0) return undefined;
    return new Promise((resolve) => void this.#clock.after(1, resolve));
  }

  /** Returns what to await after the loop, which may be a step of another one. */
  last(): Promise<void> | undefined {
    return !this.#clock.isVirtual && turnIsDue()
      ? new Promise(turn)
      : undefined;
  }
}
