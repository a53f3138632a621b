import type { Addr, Scheme, SchemeAddr, UnixAddr } from "./addr.ts";
import type { Clock } from "./clock.ts";

/**
 * Datagrams of one peer and one length, contiguous in memory: what UDP_SEGMENT
 * sends and UDP_GRO delivers as one (udp(7)).
 */
export interface Run {
  /** Their bytes, one datagram after another. */
  readonly data: Uint8Array<ArrayBuffer>;
  /**
   * The length of each in bytes; the last one may be shorter. An empty datagram
   * is a run of its own, of segment size 0.
   */
  readonly segmentSize: number;
  /** The peer that they came from. */
  readonly from: Addr;
  /** Whether the datagram was cut; only ever true if `count` is 1. */
  readonly truncated: boolean;
  /** How many datagrams it holds, at least 1. */
  readonly count: number;
  /** The local address that they came to. @default {unknown} */
  readonly to?: Addr;
  /** The two ECN bits of their IP headers (RFC 3168). @default {unknown} */
  readonly ecn?: 0 | 1 | 2 | 3;
  /**
   * When the system received them, in milliseconds since 1970.
   * @default {unknown}
   */
  readonly time?: number;
}

/** A datagram to be sent. */
export interface Outgoing {
  /** Its bytes. */
  readonly data: Uint8Array;
  /** The peer. */
  readonly to: Addr;
}

/** The outcome of sending a batch. */
export interface SentBatch {
  /** How many were sent, from the first one on. */
  readonly sent: number;
  /** Why the next one could not be sent, if that is why the batch ended. */
  readonly error?: unknown;
}

/** A membership that a carrier hands out; `leave` ends it. */
export interface CarrierMembership {
  /** Leaves the group. */
  leave(): Promise<void>;
  /** Whether datagrams sent to the group reach this machine's members too. */
  setLoopback(loopback: boolean): Promise<void>;
  /** How many hops datagrams sent to the group may go; IPv4 only. */
  setTTL?(ttl: number): Promise<void>;
}

/**
 * Anything that carries datagrams (a transport): the four members of
 * `Deno.DatagramConn` that matter, and a few optional ones. Every
 * `Deno.DatagramConn` is a carrier as it stands. A carrier knows nothing of
 * timeouts or counters; the socket above it does that, and keeps one `receive`
 * in flight at a time. A carrier copies the addresses that it keeps or hands
 * out, so that changing one has no effect on another.
 */
export interface Carrier {
  /** The local address. */
  readonly addr: Addr;
  /**
   * Waits for the next datagram and writes it to the buffer, cut to the buffer's
   * length. Without a buffer the carrier allocates one.
   *
   * @returns The part of the buffer that was written, and the sender's address.
   */
  receive(p?: Uint8Array): Promise<[Uint8Array<ArrayBuffer>, Addr]>;
  /**
   * Sends one datagram.
   *
   * @returns How many bytes were sent: all.
   */
  send(p: Uint8Array, to: Addr): Promise<number>;
  /** Closes it. A pending `receive` rejects. */
  close(): void;
  /** Joins an IPv4 multicast group on the interface with that address. */
  joinMulticastV4?(
    group: string,
    networkInterface: string,
  ): Promise<CarrierMembership>;
  /** Joins an IPv6 multicast group on the interface with that index. */
  joinMulticastV6?(
    group: string,
    networkInterface: number,
  ): Promise<CarrierMembership>;
  /**
   * For a carrier that was dialed: the peer, as its datagrams show it.
   * @default {the address that was dialed}
   */
  readonly remote?: Addr;
  /**
   * Resolves when the carrier is open, rejects if it could not be opened: for
   * carriers that learn it only later. `receive` and `send` wait for it.
   * @default {open at once}
   */
  readonly opened?: Promise<void>;
  /**
   * Resolves when the address is free again, after `close` or `end`.
   * @default {when no `receive` is in flight}
   */
  readonly closed?: Promise<void>;
  /**
   * The longest datagram that it can deliver, in bytes; the default of a
   * socket's `maxSize`.
   * @default {65527}
   */
  readonly maxReceive?: number;
  /**
   * The largest datagram to that peer, in bytes.
   * @default {the family's limit for UDP: 65507 over IPv4, 65527 over IPv6}
   */
  maxSize?(to: Addr): number;
  /**
   * Waits for datagrams and returns all that have arrived, in order, up to a
   * limit of the carrier. The memory is valid only until the next call. If
   * present, sockets call it instead of `receive`.
   */
  receiveBatch?(): Promise<readonly Run[]>;
  /**
   * Sends as many of the datagrams as it can at once, in order. The caller calls
   * it again for the rest, never concurrently.
   */
  sendBatch?(batch: readonly Outgoing[]): SentBatch | Promise<SentBatch>;
  /** Datagrams that the carrier knows it lost, by reason. */
  drops?(): Record<string, number>;
  /** How many datagrams the system dropped before the carrier could read them. */
  kernelDrops?(): Promise<number | undefined>;
  /**
   * Returns how many connections the carrier closed or rejected by itself, by
   * reason: for carriers whose peers are connected.
   */
  connections?(): Record<string, number>;
  /** Sends what is still queued, then closes. `close` is not called after it. */
  end?(): Promise<void>;
  /** The time that its timeouts run on. @default {the system's} */
  readonly clock?: Clock;
  /** Lets a pending `receive` keep the program running, as it does at first. */
  ref?(): void;
  /** Lets the program end although a `receive` is pending. */
  unref?(): void;
}

/** Opens carriers: the `carrier` option of `bind`, `connect` and `serve`. */
export interface CarrierSource {
  /**
   * The schemes of the addresses that it carries. `bind`, `connect` and `serve`
   * reject any other, so that no address travels over a transport that it did
   * not name.
   * @default {any: it checks them itself}
   */
  readonly schemes?: readonly Scheme[];
  /**
   * Opens a carrier at a local address. Throws if that is not possible. A source
   * whose schemes all have a host and a port may declare it for `NetAddr`.
   */
  listen(address: SchemeAddr | UnixAddr): Carrier;
  /**
   * Opens a carrier to one peer. Without it the source cannot `connect`.
   * @default {none}
   */
  dial?(address: SchemeAddr | UnixAddr): Promise<Carrier>;
}
