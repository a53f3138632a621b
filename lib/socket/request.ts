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
import type { Inbox } from "./inbox.ts";
import type { Waiter } from "./waiter.ts";
import { onAbort } from "./waits.ts";

/** How {@linkcode ConnectedSocket.request} waits for its reply. */
export interface RequestOptions<A extends Addr = NetAddr> {
  /**
   * Milliseconds to wait after each send, 0 to 2^31 - 1, or `Infinity`.
   * @default {1000}
   */
  timeoutMs?: number | undefined;
  /** How many times to send again if there is no reply. @default {0} */
  retries?: number | undefined;
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
  readonly #retries: number;
  readonly #match: (datagram: Datagram<A>) => boolean;
  readonly #signal: AbortSignal | undefined;
  #sends = 0;
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
    const { timeoutMs = 1000, retries = 0, match = any, signal } = options ??
      {};
    this.#limit = milliseconds(attempt, "timeoutMs", timeoutMs);
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
    if (this.#requester.inbox.wait(this)) this.#send();
  }

  match(datagram: Datagram<A>): boolean {
    if (this.#match === any) return true;
    // A copy: if it is not the reply, the next waiter gets it as it arrived.
    const verdict: unknown = this.#match(copyDatagram(datagram));
    if (!isThenable(verdict)) return Boolean(verdict);
    ignoreRejection(verdict);
    const wanted = "a function that returns true or false, not asynchronous";
    throw wrongType(this.#requester.attempt, "match", wanted, this.#match);
  }

  stop(): void {
    this.#isOver = true;
    this.#cancel?.();
    this.#unlisten?.();
  }

  end(): void {
    this.reject(socketClosed(this.#requester.attempt));
  }

  #send(): void {
    const { clock } = this.#requester;
    const send = ++this.#sends;
    this.#sendError = undefined;
    this.#requester.send().catch((error) => {
      if (isFinal(error)) this.#giveUp(error);
      else if (send === this.#sends) this.#sendError = error;
    });
    if (this.#limit === undefined) return;
    this.#cancel = clock.after(this.#limit, () => this.#next());
    // The clock or the carrier may have ended the request.
    if (this.#isOver) this.#cancel();
  }

  #next(): void {
    if (this.#sends <= this.#retries) this.#send();
    else this.#giveUp(this.#sendError ?? this.#noReply());
  }

  #giveUp(reason: unknown): void {
    this.#requester.inbox.waiters.withdraw(this);
    this.reject(reason);
  }

  #noReply(): Error {
    const again = this.#sends === 1 ? "" : `, sent ${this.#sends} times`;
    return timedOut(
      this.#requester.attempt,
      `no reply within ${this.#limit} ms${again}`,
    );
  }
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
