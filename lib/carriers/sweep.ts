import { clearInterval, performance, setInterval } from "../platform.ts";

const MAX_MS = 1000;
const MIN_MS = 5;

/**
 * Calls back periodically, often enough to notice that one of the limits has
 * passed, until it is disposed of. It does not keep the program running.
 *
 * @param limits In milliseconds.
 * @param callback Gets the time of `performance.now()`.
 */
export function sweep(
  limits: readonly number[],
  callback: (now: number) => void,
): Disposable {
  const ms = Math.max(MIN_MS, Math.min(MAX_MS, ...limits.map((ms) => ms / 4)));
  const timer = setInterval(() => callback(performance.now()), ms);
  Deno.unrefTimer(timer);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
