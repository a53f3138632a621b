import type { Addr } from "../addr.ts";
import type { Carrier, Run } from "../carrier.ts";
import { countsOf } from "../check.ts";
import type { Datagram } from "../datagram.ts";

/**
 * What a socket has counted so far. The counts add up: each datagram that reached
 * the socket is in `received`, in `waiting`, or under one reason in `dropped`;
 * each datagram that was given to `send`, or read by `sendMany`, is in `sent`, in
 * `sendFailed` or in `sending`.
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
  /** Datagrams that were given to the socket and are neither sent nor failed. */
  readonly sending: number;
  /**
   * How many times the system reported that a peer of a bound UDP socket does not
   * receive, as Windows does. Such a report concerns an earlier send, so it does
   * not end a `receive`.
   */
  readonly unreachable: number;
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
  unreachable = 0;
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

  /** Counts the datagrams of a run that is delivered to the program. */
  countRun({ data, count, truncated }: Run): void {
    this.received += count;
    this.bytes += data.length;
    if (truncated) this.truncated++;
  }

  /** Counts datagrams that are dropped. */
  drop(reason: string, count = 1): void {
    this.dropped[reason] = (this.dropped[reason] ?? 0) + count;
  }
}

/** Counts what an outbox sends; see {@linkcode SocketStats}. */
export class Sent {
  sent = 0;
  sentBytes = 0;
  sendFailed = 0;
  sending = 0;
}

/** Returns the stats of a socket: its own counts, and those of its carrier. */
export function statsOf(
  carrier: Carrier,
  { dropped: own, ...received }: Received,
  waiting: number,
  sent: Sent,
  withheld: Readonly<Record<string, number>>,
): SocketStats {
  const dropped: Record<string, number> = { ...own };
  for (const [why, n] of Object.entries(countsOf(() => carrier.drops?.()))) {
    dropped[why] = (dropped[why] ?? 0) + n;
  }
  const connections = carrier.connections &&
    countsOf(() => carrier.connections?.());
  return {
    ...received,
    waiting,
    ...sent,
    withheld: { ...withheld },
    dropped,
    ...(connections !== undefined && { connections }),
  };
}

/** Returns a carrier's `kernelDrops` if that is a count. It never rejects. */
export async function kernelDropsOf(
  carrier: Carrier,
): Promise<number | undefined> {
  try {
    const drops: unknown = await carrier.kernelDrops?.();
    return Number.isInteger(drops) && drops as number >= 0
      ? drops as number
      : undefined;
  } catch {
    return undefined;
  }
}
