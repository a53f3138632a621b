import { dateNow, setImmediate } from "./platform.ts";
import { globals } from "./runtime.ts";

// How long a loop may run before the event loop turns.
const LIMIT_MS = 2;
// The same if the runtime itself brings what a loop passes on.
const LONGEST_MS = 50;
// So long a turn is awaited while the runtime brings more.
const PATIENCE_MS = 3;
// Reading the time takes 0.03 to 0.1 µs, so quick steps do it once in this many.
const EVERY = 8;
// Deno's event loop polls its sockets once in 61 rounds if it is busy (see
// clock.ts), so every eighth turn has that many. If all turns had one, another
// socket waited 73 ms on average. Node and Bun poll them in each round, and Bun
// may read hundreds of datagrams in one.
const LONG_TURN = 8;
const ROUNDS = globals.Deno === undefined ? 1 : 64;

// There is one event loop per thread, so all loops share its watch.
let isWatching = false;
let isCalled = false;
let start = 0;
let since = 0;
let seen = 0;
// The first steps are not watched: the first use of a timer takes Deno some
// milliseconds, which a program that only starts to wait would spend.
let left = EVERY;
let seenTurns = 0;
let turns = 0;
let asked = 0;
let waiting: (() => void)[] = [];

/**
 * Returns whether the event loop has not turned for 2 ms. Loops ask this at each
 * step, and wait for {@linkcode turn} if it is so: timers, signals and other
 * sockets go on then. A loop whose steps wait for the system by themselves never
 * has to.
 *
 * It measures time: neither the size of what arrives nor what the program does
 * with it is known beforehand.
 */
export function turnIsDue(): boolean {
  const now = dateNow();
  // Slow steps are watched one by one.
  left = now === seen ? EVERY : 1;
  seen = now;
  if (isWatching) {
    if (isCalled) since = now;
    isCalled = false;
    return now - since >= LIMIT_MS || now - start >= LONGEST_MS || now < since;
  }
  isWatching = true;
  start = since = now;
  setImmediate(endWatch);
  return false;
}

/**
 * To be called when the runtime brings what has arrived: it has had control, so
 * a turn is due only after 50 ms. Under a flood Bun reads on without an end before
 * it runs anything else, and what arrives while a turn is awaited is dropped in
 * the end. So a turn that does not come is given up.
 */
export function calledBack(): void {
  isCalled = true;
  if (waiting.length === 0) return;
  const now = dateNow();
  if (now - asked < PATIENCE_MS) return;
  start = now;
  endTurn();
}

function endWatch(): void {
  isWatching = false;
  seenTurns++;
}

/**
 * Returns the same for a loop whose steps take less than a microsecond: it does
 * not read the time at each.
 */
export function quickTurnIsDue(): boolean {
  return --left <= 0 && turnIsDue();
}

/** Calls back after the event loop has turned. */
export function turn(callback: () => void): void {
  if (waiting.push(callback) > 1) return;
  let rounds = ++turns % LONG_TURN === 0 ? ROUNDS : 1;
  const next = () => {
    if (--rounds > 0) setImmediate(next);
    else endTurn();
  };
  asked = dateNow();
  setImmediate(next);
}

function endTurn(): void {
  const callbacks = waiting;
  waiting = [];
  for (const callback of callbacks) callback();
}

/**
 * Returns what to await before something ends that took no time, if a turn is
 * due: a program may begin it again and again. On a virtual clock turns must not
 * depend on the machine's speed, so there are none.
 */
export function dueTurn(
  clock: { readonly isVirtual?: boolean | undefined },
): Promise<void> | undefined {
  return !clock.isVirtual && quickTurnIsDue() ? turned() : undefined;
}

/** Resolves after the event loop has turned. */
export function turned(): Promise<void> {
  return new Promise(turn);
}

/**
 * Resolves after one round of the event loop, for steps that have to go one at a
 * time. It is no turn for sockets: a busy loop polls them in few of its rounds.
 */
export function round(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Resolves after one round of the event loop, or after a turn if one is due. */
export function pause(): Promise<void> {
  return quickTurnIsDue() ? turned() : round();
}

/** Returns how often the event loop was seen to turn since the program began. */
export function turnCount(): number {
  return seenTurns;
}
