import type { Addr } from "../addr.ts";
import { errors } from "../errors.ts";
import { milliseconds } from "../check.ts";
import type { Clock } from "../clock.ts";
import type { Datagram } from "../datagram.ts";
import type { Inbox, Waiter } from "./inbox.ts";

/** How long an operation may wait. Whichever comes first ends it. */
export interface WaitOptions {
  /**
   * Milliseconds, 0 to 2^31 - 1, or `Infinity`. When they have passed, the
   * promise rejects with `Deno.errors.TimedOut`.
   * @default {Infinity}
   */
  timeoutMs?: number;
  /** When it aborts, the promise rejects with `signal.reason` as it is. */
  signal?: AbortSignal;
}

/**
 * The next datagram, within the limits.
 *
 * @param owner Whose wait it is, where somebody may withdraw it.
 * @param borrow See `Waiter`.
 */
export function receive<A extends Addr>(
  inbox: Inbox<A>,
  clock: Clock,
  { timeoutMs, signal }: WaitOptions = {},
  owner?: object,
  borrow?: Waiter<A>["borrow"],
): Promise<Datagram<A>> {
  return new Promise((resolve, reject) => {
    const limit = milliseconds("receive", "timeoutMs", timeoutMs);
    signal?.throwIfAborted();
    const waiter: Waiter<A> = { resolve, reject, owner, borrow };
    if (limit === undefined && signal === undefined) {
      inbox.wait(waiter);
      return;
    }
    const giveUp = (reason: unknown) => {
      inbox.withdraw(waiter);
      reject(reason);
    };
    const cancel = limit === undefined ? undefined : clock.after(limit, () => {
      giveUp(
        new errors.TimedOut(
          `Cannot receive on ${inbox.local}: no datagram within ${limit} ms`,
        ),
      );
    });
    const unlisten = signal && onAbort(signal, giveUp);
    waiter.stop = () => {
      cancel?.();
      unlisten?.();
    };
    inbox.wait(waiter);
  });
}

/** What already waits, or `undefined`. */
export function tryReceive<A extends Addr>(
  inbox: Inbox<A>,
  clock: Clock,
): Promise<Datagram<A> | undefined> {
  return new Promise((resolve, reject) => {
    const stop = clock.turn(() => {
      inbox.withdraw(waiter);
      resolve(undefined);
    });
    const waiter: Waiter<A> = { resolve, reject, stop };
    inbox.wait(waiter);
  });
}

/** The promise's outcome, unless the limits come first; it goes on all the same. */
export function within<T>(
  promise: Promise<T>,
  clock: Clock,
  { timeoutMs, signal }: WaitOptions,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = timeoutMs === undefined ? undefined : clock.after(
      timeoutMs,
      () => giveUp(new errors.TimedOut(`not done within ${timeoutMs} ms`)),
    );
    const stop = () => {
      cancel?.();
      unlisten?.();
    };
    const giveUp = (reason: unknown) => {
      stop();
      reject(reason);
    };
    const unlisten = signal && onAbort(signal, giveUp);
    promise.then(resolve, reject).finally(stop);
  });
}

/** Calls back with the signal's reason. Returns what ends the listening. */
export function onAbort(
  signal: AbortSignal,
  callback: (reason: unknown) => void,
): () => void {
  const abort = () => callback(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  return () => signal.removeEventListener("abort", abort);
}
