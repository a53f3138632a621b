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
    const waits = inbox.wait(waiter);
    if (!waits || limit === undefined && signal === undefined) return;
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
  });
}

/** What already waits, or `undefined`. */
export function tryReceive<A extends Deno.Addr>(
  inbox: Inbox<A>,
  clock: Clock,
): Promise<Datagram<A> | undefined> {
  return new Promise((resolve, reject) => {
    const waiter: Waiter<A> = { resolve, reject };
    if (!inbox.wait(waiter)) return;
    waiter.stop = clock.turn(() => {
      inbox.withdraw(waiter);
      resolve(undefined);
    });
  });
}

/** Datagrams until the socket is closed. Ending the iteration closes nothing. */
export function iterate<A extends Deno.Addr>(
  inbox: Inbox<A>,
): AsyncIterableIterator<Datagram<A>> {
  const end = { value: undefined, done: true } as const;
  const mine = new Set<Waiter<A>>();
  return {
    next: () =>
      new Promise<IteratorResult<Datagram<A>>>((resolve, reject) => {
        const waiter: Waiter<A> = {
          resolve: (value) => resolve({ value, done: false }),
          reject: (reason) =>
            reason instanceof SocketClosedError ? resolve(end) : reject(reason),
          stop: () => mine.delete(waiter),
        };
        if (inbox.wait(waiter)) mine.add(waiter);
      }),
    return: () => {
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

/** The same as a stream that reads nothing ahead. Cancelling it closes nothing. */
export function readable<A extends Deno.Addr>(
  inbox: Inbox<A>,
): ReadableStream<Datagram<A>> {
  const datagrams = iterate(inbox);
  let cancelled = false;
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await datagrams.next();
      if (!done) controller.enqueue(value);
      else if (!cancelled) controller.close();
    },
    async cancel() {
      cancelled = true;
      await datagrams.return?.();
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
