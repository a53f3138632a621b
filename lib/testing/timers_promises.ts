/**
 * A stand-in for `node:timers/promises` whose functions have virtual time inside
 * `network.run`, and are the platform's own outside. For the import map of a test
 * on Deno, where nothing else reaches
 * `import { setTimeout } from "node:timers/promises"`.
 *
 * @module
 */
import { findBuiltin } from "../runtime.ts";
import type { Fn, Members } from "./virtual/builtins.ts";
import type { TimerOptions } from "./virtual/timer_promises.ts";

export type { TimerOptions };

/** The functions that `node:timers/promises` has for schedulers. */
export interface Scheduler {
  /** Waits. */
  wait(delayMs: number, options?: TimerOptions): Promise<void>;
  /** Lets the event loop turn. */
  yield(): Promise<void>;
}

const timers: Members = findBuiltin("node:timers/promises") ?? {};

/** Calls whatever is the member then: a run replaces it. */
function call(owner: unknown, name: string, ...args: unknown[]): unknown {
  return (owner as Record<string, Fn>)[name]!(...args);
}

/** As `setTimeout` of `node:timers/promises`. */
export function setTimeout<T = void>(
  delayMs?: number,
  value?: T,
  options?: TimerOptions,
): Promise<T> {
  return call(timers, "setTimeout", delayMs, value, options) as Promise<T>;
}

/** As `setImmediate` of `node:timers/promises`. */
export function setImmediate<T = void>(
  value?: T,
  options?: TimerOptions,
): Promise<T> {
  return call(timers, "setImmediate", value, options) as Promise<T>;
}

/** As `setInterval` of `node:timers/promises`. */
export function setInterval<T = void>(
  delayMs?: number,
  value?: T,
  options?: TimerOptions,
): AsyncIterableIterator<T> {
  const ticks = call(timers, "setInterval", delayMs, value, options);
  return ticks as AsyncIterableIterator<T>;
}

/** As `scheduler` of `node:timers/promises`. */
export const scheduler: Scheduler = {
  wait: (delayMs, options) =>
    call(timers["scheduler"], "wait", delayMs, options) as Promise<void>,
  yield: () => call(timers["scheduler"], "yield") as Promise<void>,
};

/** All of them, as the default export of `node:timers/promises`. */
const all: {
  setTimeout: typeof setTimeout;
  setImmediate: typeof setImmediate;
  setInterval: typeof setInterval;
  scheduler: Scheduler;
} = { setTimeout, setImmediate, setInterval, scheduler };
export default all;
