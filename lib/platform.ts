/**
 * The platform's own timers and clocks, for what lives in real time whatever a
 * test does: sockets of the system, connections, turns of the event loop. A
 * module that imports one of these names uses it as it would the global.
 */

/** What this module needs of the platform. */
export interface Platform {
  setTimeout: typeof globalThis.setTimeout;
  clearTimeout: typeof globalThis.clearTimeout;
  setInterval: typeof globalThis.setInterval;
  clearInterval: typeof globalThis.clearInterval;
  setImmediate: typeof globalThis.setImmediate;
  clearImmediate: typeof globalThis.clearImmediate;
  performance: { now(): number };
  Date: { now(): number };
}

let platform: Platform = globalThis;

/**
 * Says where the platform's own functions are while the globals are replaced.
 *
 * @param own `undefined` when the globals are the platform's again.
 */
export function usePlatform(own: Platform | undefined): void {
  platform = own ?? globalThis;
}

/** As the global. */
export const setTimeout: Platform["setTimeout"] = ((
  ...args: Parameters<Platform["setTimeout"]>
) => platform.setTimeout(...args)) as Platform["setTimeout"];

/** As the global. */
export const clearTimeout: Platform["clearTimeout"] = (timer) =>
  platform.clearTimeout(timer);

/** As the global. */
export const setInterval: Platform["setInterval"] = ((
  ...args: Parameters<Platform["setInterval"]>
) => platform.setInterval(...args)) as Platform["setInterval"];

/** As the global. */
export const clearInterval: Platform["clearInterval"] = (timer) =>
  platform.clearInterval(timer);

/** As the global. */
export const setImmediate: Platform["setImmediate"] = ((
  ...args: Parameters<Platform["setImmediate"]>
) => platform.setImmediate(...args)) as Platform["setImmediate"];

/** As the global. */
export const clearImmediate: Platform["clearImmediate"] = (immediate) =>
  platform.clearImmediate(immediate);

/** As the global. */
export const performance: Platform["performance"] = {
  now: () => platform.performance.now(),
};

/** Returns the system's time, as the global `Date.now`. */
export function dateNow(): number {
  return platform.Date.now();
}
