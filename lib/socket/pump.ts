import type { Clock } from "../clock.ts";

// The pause after an error of the carrier, so that a persistent one makes no busy
// loop.
const PAUSE_MS = 10;

/**
 * Gives each datagram, or run, to `handle`, one after another, until the iteration ends.
 * An error of the carrier or of `handle` is reported, and the loop goes on.
 *
 * @param handle The loop waits if it returns a promise.
 * @param report Must not throw.
 */
export async function pump<T>(
  received: AsyncIterator<T>,
  clock: Clock,
  handle: (received: T) => Promise<void> | void,
  report: (error: unknown) => void,
): Promise<void> {
  for (;;) {
    let result: IteratorResult<T>;
    try {
      result = await received.next();
    } catch (error) {
      report(error);
      await new Promise<void>((go) => void clock.after(PAUSE_MS, go));
      continue;
    }
    if (result.done) return;
    try {
      const handled = handle(result.value);
      if (handled !== undefined) await handled;
    } catch (error) {
      report(error);
    }
  }
}
