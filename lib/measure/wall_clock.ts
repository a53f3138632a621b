import { type Clock, systemClock } from "../clock.ts";
import { dateNow } from "../platform.ts";

// As it is outside of simulated networks, which have another.
const { timeOrigin } = globalThis.performance;

/**
 * Returns a function that reads the time in milliseconds since 1970, with all
 * digits of a socket's clock. It never goes back: when the system's time is set,
 * it goes on as it was. A virtual clock begins at 1970.
 */
export function wallClock(clock: Clock): () => number {
  const origin = clock === systemClock
    ? timeOrigin
    : clock.isVirtual
    ? 0
    : dateNow() - clock.now();
  return () => origin + clock.now();
}
