import type { Addr } from "../addr.ts";
import { milliseconds, requireOptions, requireSignal } from "../check.ts";
import type { Clock } from "../clock.ts";
import type { Datagram } from "../datagram.ts";
import { type Attempt, socketClosed, timedOut } from "../errors.ts";
import { turn } from "../turns.ts";
import type { Inbox } from "./inbox.ts";
import type { Waiter } from "./waiter.ts";

/** How long an operation may wait. The limit that is reached first ends it. */
export interface WaitOptions {
  /**
   * Milliseconds, 0 to 2^31 - 1, or `Infinity`. After this time the promise
   * rejects with `Deno.errors.TimedOut`.
   * @default {Infinity}
   */
  timeoutMs?: number | undefined;
  /** When it aborts, the promise rejects with `signal.reason`, unchanged. */
  signal?: AbortSignal | undefined;
}

/** The limits of a wait, checked. */
export interface Limits {
  readonly ms: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads the limits of a wait, once, and checks them.
 *
 * @param defaultMs The limit if the options have no `timeoutMs`.
 * @returns The limits, or `undefined` if there are none.
 * @throws {RangeError} `timeoutMs` is out of range.
 * @throws {TypeError} An option is of the wrong type.
 */
export function limitsOf(
  attempt: Attempt,
  options: WaitOptions | undefined,
  defaultMs?: number,
): Limits | undefined {
  if (options === undefined) return undefined;
  requireOptions(attempt, options);
  const { timeoutMs = defaultMs, signal } = options;
  const ms = milliseconds(attempt, "timeoutMs", timeoutMs);
  requireSignal(attempt, signal);
  return ms === undefined && signal === undefined ? undefined : { ms, signal };
}

/** Waits for the next datagram. */
export function receive<A extends Addr>(
  inbox: Inbox<A>,
  clock: Clock,
  options: WaitOptions | undefined,
): Promise<Datagram<A>> {
  return new Promise((resolve, reject) => {
    const receiver = new Receiver(inbox, resolve, reject);
    try {
      wait(inbox, clock, limitsOf(inbox.attempt, options), receiver);
    } catch (error) {
      inbox.rests.inTurn(() => reject(error));
    }
  });
}

/** Returns a datagram that has already arrived, or `undefined`. */
export function tryReceive<A extends Addr>(
  inbox: Inbox<A>,
  clock: Clock,
): Promise<Datagram<A> | undefined> {
  return new Promise((resolve, reject) => {
    const receiver = new Receiver(inbox, resolve, reject);
    const look = () => {
      const { count } = inbox.rests;
      receiver.stop = clock.turn(() => {
        // The inbox does not read while it rests, so only a look without a rest
        // shows that nothing has arrived. A pause may be one of many.
        if (inbox.isResting && !inbox.rests.isPausing) return later();
        if (inbox.rests.count !== count && !inbox.rests.isPausing) {
          return look();
        }
        inbox.waiters.withdraw(receiver);
        resolve(undefined);
      });
    };
    // The clock's turn may be no turn of the event loop.
    const later = () => {
      let isOver = false;
      receiver.stop = () => isOver = true;
      turn(() => isOver || look());
    };
    look();
    inbox.wait(receiver);
  });
}

/** Makes a waiter wait within the limits. */
export function wait<A extends Addr>(
  inbox: Inbox<A>,
  clock: Clock,
  limits: Limits | undefined,
  waiter: Waiter<A>,
): void {
  if (limits !== undefined) {
    const { signal } = limits;
    if (signal?.aborted) {
      return inbox.rests.inTurn(() => waiter.reject(signal.reason));
    }
    const giveUp = (reason: unknown) => {
      inbox.waiters.withdraw(waiter);
      waiter.reject(reason);
    };
    waiter.stop = onLimit(limits, clock, giveUp, (ms) => {
      // What has arrived is in time, even if a turn of the event loop was due.
      inbox.hand();
      return timedOut(inbox.attempt, `no datagram within ${ms} ms`);
    });
  }
  inbox.wait(waiter);
}

/** Settles as the promise does, unless a limit is reached before. */
export function within<T>(
  promise: Promise<T>,
  clock: Clock,
  limits: Limits | undefined,
  attempt: Attempt,
): Promise<T> {
  if (limits === undefined) return promise;
  return new Promise((resolve, reject) => {
    const giveUp = (reason: unknown) => {
      stop();
      reject(reason);
    };
    const stop = onLimit(
      limits,
      clock,
      giveUp,
      (ms) => timedOut(attempt, `not done within ${ms} ms`),
    );
    promise.then(resolve, reject).finally(stop);
    // The operation may have aborted it as it began: no event follows.
    if (limits.signal?.aborted) giveUp(limits.signal.reason);
  });
}

/** Calls back with the signal's reason. Returns a function that ends that. */
export function onAbort(
  signal: AbortSignal,
  callback: (reason: unknown) => void,
): () => void {
  const abort = () => callback(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  return () => signal.removeEventListener("abort", abort);
}

/**
 * Calls back when a limit is reached.
 *
 * @returns A function that ends that: no timer and no listener stays.
 */
function onLimit(
  { ms, signal }: Limits,
  clock: Clock,
  callback: (reason: unknown) => void,
  late: (ms: number) => Error,
): () => void {
  let cancel = ms === undefined
    ? undefined
    : clock.after(ms, () => callback(late(ms)));
  let unlisten = signal && onAbort(signal, callback);
  return () => {
    cancel?.();
    unlisten?.();
    cancel = unlisten = undefined;
  };
}

/** One `receive` that waits. */
class Receiver<A extends Addr> implements Waiter<A> {
  readonly #inbox: Inbox<A>;
  readonly resolve: (datagram: Datagram<A>) => void;
  readonly reject: (reason: unknown) => void;
  stop?: () => void;

  constructor(
    inbox: Inbox<A>,
    resolve: (datagram: Datagram<A>) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#inbox = inbox;
    this.resolve = resolve;
    this.reject = reject;
  }

  end(): void {
    this.reject(socketClosed(this.#inbox.attempt));
  }
}
