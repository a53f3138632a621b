import { type Clock, systemClock } from "../clock.ts";
import { dateNow } from "../platform.ts";

/**
 * Returns a function that reads the time in milliseconds since 1970, with all
 * digits of a socket's clock. It never goes back: when the system's time is set,
 * it goes on as it was. A virtual clock begins at 1970.
 */
export function wallClock(clock: Clock): () => number {
  if (clock === systemClock) {
    const { timeOrigin } = globalThis.performance;
    return () => timeOrigin + clock.now();
  }
  const origin = clock.isVirtual ? 0 : dateNow() - clock.now();
  return () => origin + clock.now();
}
