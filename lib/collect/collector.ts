import type { Addr, NetAddr } from "../addr.ts";
import type { Datagram } from "../datagram.ts";
import type { CollectorStats, Sink } from "../sink.ts";
import type { Data } from "../socket/messages.ts";

/** The default of `endTimeoutMs`, in milliseconds. */
export const END_MS = 5000;

/** Options of `collect`. */
export interface CollectOptions<A extends Addr = NetAddr> {
  /**
   * The sinks, which all get each message, in this order. At the end they are
   * flushed at the same time and closed in the reverse order, so that a sink may
   * read from one before it.
   * @default {none}
   */
  sinks?: readonly Sink[] | undefined;
  /** Ends after this many messages. @default {Infinity} */
  count?: number | undefined;
  /**
   * Ends when no message has arrived for this many milliseconds.
   * @default {Infinity}
   */
  timeoutMs?: number | undefined;
  /**
   * How long the end may take, in milliseconds: answers and sinks share this time.
   * What is left then is counted by the sinks.
   * @default {5000}
   */
  endTimeoutMs?: number | undefined;
  /** The number of the first message. @default {1} */
  firstId?: number | undefined;
  /**
   * Called with a copy of each datagram. The result is sent to the datagram's
   * sender by `socket.answer`; `undefined` sends nothing. A peer that takes its
   * answers slowly holds up no other: of its answers 256 are sent at a time, 4 MiB
   * wait, and more are counted as `withheld.busy`.
   * @default {nothing}
   */
  answer?: ((datagram: Datagram<A>) => Data | undefined) | undefined;
  /**
   * Called with an error of a sink, of `answer` or of the socket, and with the
   * sink if it was one. The collector goes on.
   * @default {prints it to the console}
   */
  onError?: ((error: Error, sink?: Sink) => void) | undefined;
}

/** Why a collector ended. */
export type CollectorEnd = "count" | "timeout" | "stopped" | "closed";

/** How a collector is stopped. */
export interface StopOptions {
  /**
   * Whether datagrams that have arrived, and wait in the socket, are received
   * first. This takes at most a second.
   * @default {false}
   */
  drain?: boolean | undefined;
  /**
   * How long the end may take from now on, in milliseconds. A second call can
   * shorten the end: with 0, sinks count what is left at once.
   * @default {the collector's `endTimeoutMs`, from the first call on}
   */
  timeoutMs?: number | undefined;
}

/** A running collector; `collect` returns it. */
export interface Collector {
  /**
   * Resolves when the collector has ended and its sinks are closed: after `count`
   * messages, after `timeoutMs` without one, by `stop`, or because the socket was
   * closed.
   */
  readonly finished: Promise<CollectorEnd>;
  /** Returns the numbers of the socket and the sinks so far. */
  stats(): Promise<CollectorStats>;
  /**
   * Stops receiving, flushes pending messages to the sinks and closes the sinks.
   * Datagrams that have not been received stay in the socket, unless `drain` is
   * set.
   *
   * @throws {RangeError} `timeoutMs` is out of range.
   */
  stop(options?: StopOptions): Promise<CollectorEnd>;
}
