import type { Clock } from "./clock.ts";
import { beforeAbort } from "./promises.ts";
import { round } from "./turns.ts";

/**
 * How late a timer of the system comes, in milliseconds, besides that it is set in
 * whole ones. What has to be exact sets it so much earlier, and awaits the rest
 * round by round.
 */
export const TIMER_MS = 1.2;

const LONGEST_MS = 2 ** 31 - 1;

/**
 * Waits until a moment, or until the signal aborts, and leaves no timer. It is
 * more precise than a timer: the last one or two milliseconds are rounds of the
 * event loop. On a virtual clock it is exact.
 */
export async function until(
  clock: Clock,
  at: number,
  signal: AbortSignal,
): Promise<void> {
  for (let early: number; !signal.aborted && (early = at - clock.now()) > 0;) {
    const ms = clock.isVirtual ? early : Math.floor(early - TIMER_MS);
    if (ms > 0) await sleep(clock, Math.min(ms, LONGEST_MS), signal);
    else await round();
  }
}

/** Waits, but not beyond the signal. It leaves no timer. */
async function sleep(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  let cancel = () => {};
  const over = new Promise<void>((wake) => cancel = clock.after(ms, wake));
  await beforeAbort(over, signal);
  cancel();
}
