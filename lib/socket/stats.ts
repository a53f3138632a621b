import type { Addr } from "../addr.ts";
import type { Datagram } from "../datagram.ts";

/**
 * What a socket has counted so far. The counts add up: each datagram that reached
 * the socket is in `received`, in `waiting`, or under one reason in `dropped`;
 * each call of `send` is in `sent` or in `sendFailed`.
 */
export interface SocketStats {
  /** Datagrams that were delivered to the program. */
  readonly received: number;
  /** The bytes of these datagrams, as delivered. */
  readonly bytes: number;
  /** How many of `received` were cut to `maxSize`. */
  readonly truncated: number;
  /** Datagrams that have arrived and wait to be received. */
  readonly waiting: number;
  /**
   * Datagrams that the carrier accepted. Over UDP that does not mean that they
   * arrived.
   */
  readonly sent: number;
  /** The bytes of these datagrams. */
  readonly sentBytes: number;
  /** Calls of `send` that rejected. */
  readonly sendFailed: number;
  /**
   * Answers that were withheld, by reason: `answerRate` and `amplification` (see
   * `answerLimit` and `maxAmplification` of `bind`).
   */
  readonly withheld: Readonly<Record<string, number>>;
  /**
   * Datagrams that arrived and did not reach the program, by reason: `stranger`
   * (not from the peer of a connected socket), `denied` and `rateLimited` (see
   * `allow`, `deny` and `rateLimit` of `bind`), `queueFull` (256 were waiting
   * already), `closed` (were waiting when the socket was closed), and the
   * reasons of the carrier.
   */
  readonly dropped: Readonly<Record<string, number>>;
  /**
   * Connections that the carrier closed or rejected by itself, by reason; absent
   * over carriers without connections. They are not part of the sum above: a
   * message that was lost with its connection is in `dropped`.
   */
  readonly connections?: Readonly<Record<string, number>>;
}

/** Counts what an inbox receives; see {@linkcode SocketStats}. */
export class Received {
  received = 0;
  bytes = 0;
  truncated = 0;
  readonly dropped: Record<string, number> = {
    stranger: 0,
    queueFull: 0,
    closed: 0,
  };

  /** Counts a datagram that is delivered to the program. */
  count(datagram: Datagram<Addr>): void {
    this.received++;
    this.bytes += datagram.data.length;
    if (datagram.truncated) this.truncated++;
  }

  /** Counts a datagram that is dropped. */
  drop(reason: string): void {
    this.dropped[reason] = (this.dropped[reason] ?? 0) + 1;
  }
}
