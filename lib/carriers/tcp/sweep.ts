const MAX_MS = 1000;
const MIN_MS = 5;

/**
 * Calls back again and again, often enough to notice that one of the limits has
 * passed, until it is disposed of. It keeps no program running.
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
