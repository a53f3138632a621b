import { checkTimeout, type Clock } from "./clock.ts";
import type { Datagram } from "./datagram.ts";
import { SocketClosedError } from "./errors.ts";
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

/** The next datagram, within the limits. */
export function receive<A extends Deno.Addr>(
  inbox: Inbox<A>,
  clock: Clock,
  { timeoutMs, signal }: WaitOptions = {},
): Promise<Datagram<A>> {
  return new Promise((resolve, reject) => {
    const limit = checkTimeout(timeoutMs);
    signal?.throwIfAborted();
    const waiter: Waiter<A> = { resolve, reject };
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
        new Deno.errors.TimedOut(
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
export function tryReceive<A extends Deno.Addr>(
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

/** Datagrams until the socket is closed. Ending the iteration closes nothing. */
export function iterate<A extends Deno.Addr>(
  inbox: Inbox<A>,
): AsyncIterableIterator<Datagram<A>> {
  const end = { value: undefined, done: true } as const;
  const mine = new Set<Waiter<A>>();
  let returned = false;
  return {
    next: () =>
      new Promise<IteratorResult<Datagram<A>>>((resolve, reject) => {
        if (returned) return resolve(end);
        const waiter: Waiter<A> = {
          resolve: (value) => resolve({ value, done: false }),
          reject: (reason) =>
            reason instanceof SocketClosedError ? resolve(end) : reject(reason),
          stop: () => mine.delete(waiter),
        };
        if (inbox.wait(waiter)) mine.add(waiter);
      }),
    return: () => {
      returned = true;
      for (const waiter of mine) {
        inbox.withdraw(waiter);
        waiter.reject(inbox.closedError());
      }
      return Promise.resolve(end);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/**
 * The same as a stream that reads nothing ahead. Cancelling it closes nothing.
 *
 * @param onEnd Called when the stream gives no more though the socket is open.
 */
export function readable<A extends Deno.Addr>(
  inbox: Inbox<A>,
  onEnd: () => void,
): ReadableStream<Datagram<A>> {
  let cancel: (() => void) | undefined;
  return new ReadableStream({
    // A datagram must be in the stream, or still in the inbox, at each moment
    // at which the stream can be cancelled: so no `await` between the two.
    pull: (controller) =>
      new Promise<void>((resolve, reject) => {
        const waiter: Waiter<A> = {
          resolve: (datagram) => {
            controller.enqueue(datagram);
            resolve();
          },
          reject: (reason) => {
            if (reason instanceof SocketClosedError) {
              controller.close();
              return resolve();
            }
            onEnd();
            reject(reason);
          },
        };
        cancel = () => {
          inbox.withdraw(waiter);
          resolve();
        };
        inbox.wait(waiter);
      }),
    cancel: () => {
      cancel?.();
      onEnd();
    },
  }, { highWaterMark: 0 });
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
      () => reject(new Deno.errors.TimedOut(`not done within ${timeoutMs} ms`)),
    );
    const unlisten = signal && onAbort(signal, reject);
    promise.then(resolve, reject).finally(() => {
      cancel?.();
      unlisten?.();
    });
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
