import type { Addr, NetAddr } from "../addr.ts";
import {
  milliseconds,
  requireFunction,
  requireOptions,
  requireSignal,
  wholeNumber,
  wrongType,
} from "../check.ts";
import type { Clock } from "../clock.ts";
import { copyDatagram, type Datagram } from "../datagram.ts";
import {
  type Attempt,
  errors,
  MessageTooLargeError,
  socketClosed,
  SocketClosedError,
  timedOut,
} from "../errors.ts";
import { ignoreRejection, isThenable } from "../promises.ts";
import { type Backoff, Waits } from "./backoff.ts";
import type { Inbox } from "./inbox.ts";
import type { Target } from "./target.ts";
import type { Waiter } from "./waiter.ts";
import { onAbort } from "./waits.ts";

/** How a request waits for its reply. */
export interface RequestOptions<A extends Addr = NetAddr> {
  /**
   * Milliseconds to wait after each send, 0 to 2^31 - 1, or `Infinity`.
   * @default {1000}
   */
  timeoutMs?: number | undefined;
  /** How many times to send again if there is no reply. @default {0} */
  retries?: number | undefined;
  /**
   * How the waits grow with each send. `{}` is twice as long each, with a jitter
   * of one half.
   * @default {all waits are `timeoutMs`}
   */
  backoff?: Backoff | undefined;
  /**
   * Whether a datagram is the reply. Put a number into the request and look for
   * it here: nothing else distinguishes a late reply to an earlier request. It
   * gets a copy, and may call anything.
   * @default {the next datagram that arrives from the peer}
   */
  match?: ((datagram: Datagram<A>) => boolean) | undefined;
  /** When it aborts, the promise rejects with `signal.reason`, unchanged. */
  signal?: AbortSignal | undefined;
}

/** What a request needs of its socket. */
export interface Requester<A extends Addr> {
  readonly inbox: Inbox<A>;
  readonly clock: Clock;
  /** Returns a random number from 0 to 1. */
  readonly random: () => number;
  /** The only peer whose datagrams are replies. @default {that of the socket} */
  readonly target?: Target;
  /** For the messages of errors: to request from this peer. */
  readonly attempt: Attempt;
  /** Sends the message once. */
  send(): Promise<void>;
}

/** Sends until a reply arrives, or the last attempt is over. */
export function request<A extends Addr>(
  requester: Requester<A>,
  options?: RequestOptions<A>,
): Promise<Datagram<A>> {
  return new Promise((resolve, reject) => {
    const fail = (reason: unknown) =>
      requester.inbox.rests.inTurn(() => reject(reason));
    try {
      new Request(requester, options, resolve, fail).start();
    } catch (error) {
      fail(error);
    }
  });
}

/** One request that waits for its reply. */
class Request<A extends Addr> implements Waiter<A> {
  readonly resolve: (datagram: Datagram<A>) => void;
  readonly reject: (reason: unknown) => void;
  readonly #requester: Requester<A>;
  readonly #limit: number | undefined;
  readonly #waits: Waits;
  readonly #isEven: boolean;
  readonly #retries: number;
  readonly #match: (datagram: Datagram<A>) => boolean;
  readonly #signal: AbortSignal | undefined;
  peer: string | undefined;
  #sends = 0;
  // The sum of its waits.
  #waitedMs = 0;
  #sendError: unknown;
  #isOver = false;
  #cancel: (() => void) | undefined;
  #unlisten: (() => void) | undefined;

  constructor(
    requester: Requester<A>,
    options: RequestOptions<A> | undefined,
    resolve: (datagram: Datagram<A>) => void,
    reject: (reason: unknown) => void,
  ) {
    const { attempt } = requester;
    requireOptions(attempt, options);
    const { timeoutMs = 1000, retries = 0, backoff, match = any, signal } =
      options ?? {};
    const ms = milliseconds(attempt, "timeoutMs", timeoutMs);
    this.#limit = ms;
    this.#waits = new Waits(attempt, ms ?? 0, backoff, requester.random);
    this.#isEven = backoff === undefined;
    this.#retries = wholeNumber(attempt, "retries", retries, 0);
    requireFunction(attempt, "match", match);
    requireSignal(attempt, signal);
    this.#match = match;
    this.#signal = signal;
    this.#requester = requester;
    this.resolve = resolve;
    this.reject = reject;
  }

  /** Waits, and sends for the first time. An aborted signal's reason is thrown. */
  start(): void {
    const signal = this.#signal;
    signal?.throwIfAborted();
    this.#unlisten = signal &&
      onAbort(signal, (reason) => this.#giveUp(reason));
    const { target, attempt } = this.#requester;
    if (target?.isToBeFound !== true) return this.#begin();
    this.#wait(this.#limit, () => this.#giveUp(this.#notFound()));
    target.find(attempt).then(
      () => this.#isOver || this.#begin(),
      (error) => this.#giveUp(error),
    );
  }

  match(datagram: Datagram<A>): boolean {
    if (this.#match === any) return true;
    // A copy: if it is not the reply, the next waiter gets it as it arrived.
    const copy = copyDatagram(datagram);
    return verdictOf(this.#match, copy, this.#requester.attempt);
  }

  stop(): void {
    this.#isOver = true;
    this.#cancel?.();
    this.#unlisten?.();
  }

  end(): void {
    this.reject(socketClosed(this.#requester.attempt));
  }

  #begin(): void {
    const { target, inbox } = this.#requester;
    this.#cancel?.();
    if (target !== undefined) this.peer = target.peer;
    if (inbox.wait(this)) this.#send();
  }

  #send(): void {
    const send = ++this.#sends;
    this.#sendError = undefined;
    this.#requester.send().catch((error) => {
      if (isFinal(error)) this.#giveUp(error);
      else if (send === this.#sends) this.#sendError = error;
    });
    if (this.#limit === undefined) return;
    const ms = this.#waits.next();
    this.#waitedMs += ms;
    this.#wait(ms, () => this.#next());
  }

  #wait(ms: number | undefined, callback: () => void): void {
    if (ms === undefined) return;
    this.#cancel = this.#requester.clock.after(ms, callback);
    // The clock or the carrier may have ended the request.
    if (this.#isOver) this.#cancel();
  }

  #next(): void {
    if (this.#sends <= this.#retries) this.#send();
    else this.#giveUp(this.#sendError ?? this.#noReply());
  }

  #giveUp(reason: unknown): void {
    // While its name is looked up it does not wait for a datagram yet.
    if (!this.#requester.inbox.waiters.withdraw(this)) this.stop();
    this.reject(reason);
  }

  #noReply(): Error {
    const again = this.#sends === 1 ? "" : `, sent ${this.#sends} times`;
    const within = this.#isEven
      ? `${this.#limit} ms`
      : `${Math.round(this.#waitedMs)} ms in all`;
    return timedOut(
      this.#requester.attempt,
      `no reply within ${within}${again}`,
    );
  }

  #notFound(): Error {
    return timedOut(
      this.#requester.attempt,
      `the name was not looked up within ${this.#limit} ms`,
    );
  }
}

/**
 * Asks the program whether a datagram is a reply.
 *
 * @throws {TypeError} `match` is asynchronous.
 */
export function verdictOf<A extends Addr>(
  match: (datagram: Datagram<A>) => boolean,
  datagram: Datagram<A>,
  attempt: Attempt,
): boolean {
  const verdict: unknown = match(datagram);
  if (!isThenable(verdict)) return Boolean(verdict);
  ignoreRejection(verdict);
  const wanted = "a function that returns true or false, not asynchronous";
  throw wrongType(attempt, "match", wanted, match);
}

function any(): boolean {
  return true;
}

/** Whether sending again cannot succeed. */
function isFinal(error: unknown): boolean {
  return error instanceof MessageTooLargeError ||
    error instanceof SocketClosedError || error instanceof TypeError ||
    error instanceof errors.NotCapable;
}
