import type { Addr } from "../addr.ts";
import type { Datagram } from "../datagram.ts";
import type { ReceivedRun } from "../run.ts";

/** Waits for a datagram in an inbox. */
export interface Waiter<A extends Addr> {
  /** Called with the datagram. */
  resolve(datagram: Datagram<A>): void;
  /** Called with an error of the carrier, or whatever `match` threw. */
  reject(reason: unknown): void;
  /** Called when the socket is closed, or the owner withdraws its waiters. */
  end(): void;
  /** Called when the wait is over, before any of the above: stops timers. */
  stop?: () => void;
  /**
   * Which datagrams it takes. They do not go to the waiters that take any.
   * @default {any}
   */
  match?(datagram: Datagram<A>): boolean;
  /**
   * The only peer whose datagrams a waiter with a `match` is shown, as
   * {@linkcode anyPeerKey} names it.
   * @default {any peer}
   */
  readonly peer?: string | undefined;
  /**
   * Set if a waiter with a `match` goes on to wait. Called instead of `resolve`;
   * the datagram is not counted yet.
   */
  setAside?(datagram: Datagram<A>): void;
  /** Its owner, so that all waiters of one owner can be withdrawn together. */
  readonly owner?: object;
  /** Set if it takes many datagrams at once, if no other waiter wants them. */
  readonly batch?: Batch<A>;
  /**
   * Set if it takes runs, if no other waiter wants their datagrams. Called
   * instead of `resolve`.
   */
  resolveRun?(run: ReceivedRun<A>): void;
  /** Whoever may have the run in the carrier's memory. @default {nobody} */
  readonly borrower?: object | undefined;
}

/** How a waiter takes many datagrams at once. */
export interface Batch<A extends Addr> {
  /** The most that it takes. */
  readonly max: number;
  /** Whether it takes them in the carrier's memory, which is used again. */
  readonly reuse: boolean;
  /** Called instead of the waiter's `resolve`, with at least one datagram. */
  resolve(datagrams: Datagram<A>[]): void;
}
