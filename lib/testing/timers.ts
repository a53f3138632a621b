/**
 * A stand-in for `node:timers` whose functions have virtual time inside
 * `network.run`, and are the platform's own outside. For the import map of a test
 * on Deno, where nothing else reaches `import { setTimeout } from "node:timers"`.
 *
 * @module
 */
import { findBuiltin } from "../runtime.ts";
import type { Fn, Members } from "./virtual/builtins.ts";
import { PROMISIFY } from "./virtual/world.ts";
import promised from "./timers_promises.ts";

const timers: Members = findBuiltin("node:timers") ??
  globalThis as unknown as Members;

/** Calls whatever is the member then: a run replaces it. */
function member<F>(name: string): F {
  const call = (...args: unknown[]) => (timers[name] as Fn)(...args);
  const get = () => (timers[name] as Fn & Members)[PROMISIFY];
  return Object.defineProperty(call, PROMISIFY, { get }) as F;
}

/** What `setImmediate` returns. */
export interface Immediate {
  /** Keeps the program running until the callback has run. */
  ref(): this;
  /** Lets the program end without the callback. */
  unref(): this;
  /** Whether it keeps the program running. */
  hasRef(): boolean;
  /** As `clearImmediate`. */
  [Symbol.dispose](): void;
}

/** As `setTimeout` of `node:timers`. */
export const setTimeout: typeof globalThis.setTimeout = member("setTimeout");
/** As `clearTimeout` of `node:timers`. */
export const clearTimeout: typeof globalThis.clearTimeout = member(
  "clearTimeout",
);
/** As `setInterval` of `node:timers`. */
export const setInterval: typeof globalThis.setInterval = member("setInterval");
/** As `clearInterval` of `node:timers`. */
export const clearInterval: typeof globalThis.clearInterval = member(
  "clearInterval",
);
/** As `setImmediate` of `node:timers`. */
export const setImmediate: <A extends unknown[]>(
  callback: (...args: A) => void,
  ...args: A
) => Immediate = member("setImmediate");
/** As `clearImmediate` of `node:timers`. */
export const clearImmediate: (immediate?: Immediate) => void = member(
  "clearImmediate",
);
/** As `promises` of `node:timers`. */
export const promises: typeof promised = promised;

/** All of them, as the default export of `node:timers`. */
const all: {
  setTimeout: typeof setTimeout;
  clearTimeout: typeof clearTimeout;
  setInterval: typeof setInterval;
  clearInterval: typeof clearInterval;
  setImmediate: typeof setImmediate;
  clearImmediate: typeof clearImmediate;
  promises: typeof promises;
} = {
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  setImmediate,
  clearImmediate,
  promises,
};
export default all;
