import type { Clock } from "./clock.ts";
import { beforeAbort } from "./promises.ts";
import { round } from "./turns.ts";

// Timers may be this late, so the rest is awaited round by round.
const TIMER_MS = 2;
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Waits until a moment, or until the signal aborts, and leaves no timer. It is
 * more precise than a timer: the last 2 ms are rounds of the event loop. On a
 * virtual clock it is exact.
 */
export async function until(
  clock: Clock,
  at: number,
  signal: AbortSignal,
): Promise<void> {
  const spin = clock.isVirtual ? 0 : TIMER_MS;
  for (let early: number; !signal.aborted && (early = at - clock.now()) > 0;) {
    if (early <= spin) await round();
    else await sleep(clock, Math.min(early - spin, LONGEST_MS), signal);
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
