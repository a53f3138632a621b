import type { Clock } from "./clock.ts";

/** Datagrams of one peer and one length, one after another in memory. */
export interface Run {
  /** Their bytes. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** The length of each, in bytes; the last one may be shorter. */
  readonly size: number;
  /** The peer that they came from. */
  readonly from: Deno.Addr;
}

/** A datagram to be sent. */
export interface Outgoing {
  /** Its bytes. */
  readonly data: Uint8Array;
  /** The peer. */
  readonly to: Deno.Addr;
}

/** What became of a batch. */
export interface SentBatch {
  /** How many were sent, from the first one on. */
  readonly sent: number;
  /** Why the next one could not be, if that is why there are no more. */
  readonly error?: unknown;
}

/**
 * Anything that carries datagrams: the four members of `Deno.DatagramConn` that
 * matter, and a few that a carrier may add. Every `Deno.DatagramConn` is one as
 * it stands. A carrier knows nothing of timeouts or counters; the socket above
 * it does that, and keeps one `receive` in flight at a time.
 */
export interface Carrier
  extends
    Pick<Deno.DatagramConn, "addr" | "receive" | "send" | "close">,
    Partial<
      Pick<Deno.DatagramConn, "joinMulticastV4" | "joinMulticastV6">
    > {
  /**
   * For a carrier that was dialled: the peer, as its datagrams show it.
   * @default {the address that was dialled}
   */
  readonly remote?: Deno.Addr;
  /**
   * Resolves when the carrier is open, rejects when it could not be opened: for
   * those that learn it only later. `receive` and `send` wait for it.
   * @default {open at once}
   */
  readonly opened?: Promise<void>;
  /**
   * Resolves when the address is free again, after `close` or `end`.
   * @default {when no `receive` is in flight}
   */
  readonly closed?: Promise<void>;
  /**
   * The largest datagram to that peer, in bytes.
   * @default {the family's limit for UDP: 65507 over IPv4, 65527 over IPv6}
   */
  maxSize?(to: Deno.Addr): number;
  /**
   * Waits for datagrams and gives all that it has, in order, up to a bound of its
   * own. Their memory is good until the next call. Sockets then use this in the
   * place of `receive`.
   */
  receiveBatch?(): Promise<readonly Run[]>;
  /**
   * Sends the datagrams, in order, or as many of them as go at once. Those who
   * call it call it again for the rest, and one at a time.
   */
  sendBatch?(batch: readonly Outgoing[]): SentBatch | Promise<SentBatch>;
  /** What it lost and knows of: datagrams by reason. */
  drops?(): Record<string, number>;
  /** What the system dropped before the carrier could read it, where that can be known. */
  kernelDrops?(): Promise<number | undefined>;
  /** Sends what still waits, then closes. Afterwards `close` is not called. */
  end?(): Promise<void>;
  /** The time that it lives in. @default {the system's} */
  readonly clock?: Clock;
  /** Lets a waiting `receive` keep the program running, as it does at first. */
  ref?(): void;
  /** Lets the program end although a `receive` waits. */
  unref?(): void;
}

/** What hands out carriers: the `carrier` option of `bind`, `connect` and `serve`. */
export interface CarrierSource {
  /** Opens a carrier at a local address. Throws when that cannot be done. */
  listen(address: Deno.NetAddr | Deno.UnixAddr): Carrier;
  /**
   * Opens a carrier to one peer. Without it the source cannot `connect`.
   * @default {none}
   */
  dial?(address: Deno.NetAddr | Deno.UnixAddr): Promise<Carrier>;
}
