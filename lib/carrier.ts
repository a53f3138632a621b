import type { Addr, Scheme, SchemeAddr, UnixAddr } from "./addr.ts";
import type { Clock } from "./clock.ts";
import type { CarrierControl, ListenOptions } from "./control.ts";

/**
 * What the system knows of a datagram besides its bytes and its sender. What a
 * carrier does not know is absent.
 */
export interface Metadata {
  /**
   * The local address that it was sent to; of a datagram to a group, the group's.
   * @default {unknown}
   */
  readonly to?: Addr | undefined;
  /** The two ECN bits of its IP header (RFC 3168). @default {unknown} */
  readonly ecn?: 0 | 1 | 2 | 3 | undefined;
  /**
   * When the system received it, in milliseconds since 1970, with a fraction.
   * Datagrams that the system delivers as one run have one time.
   * @default {unknown}
   */
  readonly time?: number | undefined;
}

/**
 * Datagrams of one peer and one length, contiguous in memory: the unit that
 * UDP_SEGMENT sends and UDP_GRO delivers (udp(7)).
 */
export interface Run<A extends Addr = Addr> extends Metadata {
  /** The bytes of all datagrams, one after another. */
  readonly data: Uint8Array<ArrayBuffer>;
  /**
   * The length of each datagram in bytes; the last one may be shorter. An empty
   * datagram is a run of its own, of segment size 0.
   */
  readonly segmentSize: number;
  /** The peer that sent the datagrams. */
  readonly from: A;
  /** Whether the datagram was cut; can only be true if `count` is 1. */
  readonly truncated: boolean;
  /** How many datagrams the run holds, at least 1. */
  readonly count: number;
}

/** A datagram to send. */
export interface Outgoing {
  /** The bytes of the datagram. */
  readonly data: Uint8Array;
  /** The peer. */
  readonly to: Addr;
}

/** The outcome of sending a batch. */
export interface SentBatch {
  /** How many datagrams were sent, counted from the first. */
  readonly sent: number;
  /** Why the next datagram could not be sent, if that ended the batch. */
  readonly error?: unknown;
}

/** A membership that a carrier hands out; `leave` ends it. */
export interface CarrierMembership {
  /** Leaves the group. */
  leave(): Promise<void>;
  /** Sets whether datagrams to the group also reach members on this machine. */
  setLoopback(loopback: boolean): Promise<void>;
  /** Sets how many hops datagrams to the group may travel. IPv4 only. */
  setTTL?(ttl: number): Promise<void>;
}

/**
 * Anything that carries datagrams (a transport): four members of
 * `Deno.DatagramConn`, and a few optional ones. Every `Deno.DatagramConn` is a
 * carrier as it is. A carrier knows nothing of timeouts or counters: the socket
 * above it has those, and keeps at most one `receive` in flight. A carrier
 * copies the addresses that it keeps or hands out, so that changing one has no
 * effect on another.
 */
export interface Carrier {
  /** The local address. */
  readonly addr: Addr;
  /**
   * Waits for the next datagram and writes it to the buffer, cut to the buffer's
   * length. Without a buffer the carrier allocates one.
   *
   * @returns The written part of the buffer, and the address of the sender.
   */
  receive(p?: Uint8Array): Promise<[Uint8Array<ArrayBuffer>, Addr]>;
  /**
   * Sends one datagram.
   *
   * @returns How many bytes were sent: all.
   */
  send(p: Uint8Array, to: Addr): Promise<number>;
  /**
   * Sends one datagram that leaves from one of the addresses of a socket that is
   * bound to all of them. Without it, the system chooses the address.
   *
   * @param from As `to` of a received datagram. Only its host counts; nothing
   * can leave from a group or a broadcast address, for which the system chooses.
   * @returns How many bytes were sent: all.
   */
  sendFrom?(p: Uint8Array, to: Addr, from: Addr): Promise<number>;
  /** Closes the carrier. A pending `receive` rejects. */
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
   * Joins a multicast group for the datagrams of one source only (RFC 4607), on an
   * interface as in the two methods above.
   */
  joinSource?(
    source: string,
    group: string,
    networkInterface: string | number,
  ): Promise<CarrierMembership>;
  /**
   * For a carrier that was dialed: the address of the peer as its datagrams have
   * it.
   * @default {the address that was dialed}
   */
  readonly remote?: Addr | undefined;
  /**
   * Resolves when the carrier is open, and rejects if it could not be opened. For
   * carriers that need a moment to open. `receive` and `send` wait for it.
   * @default {open at once}
   */
  readonly opened?: Promise<void> | undefined;
  /**
   * Resolves when the address is free again, after `close` or `end`.
   * @default {when no `receive` is in flight}
   */
  readonly closed?: Promise<void> | undefined;
  /**
   * The longest datagram that it can deliver, in bytes; the default of a
   * socket's `maxSize`.
   * @default {65527}
   */
  readonly maxReceive?: number | undefined;
  /**
   * Returns the length of the longest datagram that can be sent to that peer, in
   * bytes.
   * @default {the limit of UDP: 65507 over IPv4, 65527 over IPv6}
   */
  maxSize?(to: Addr): number;
  /**
   * Waits for datagrams and returns all that have arrived, in order, up to a
   * limit of the carrier. The memory is valid only until the next call. If it is
   * present, sockets call it instead of `receive`.
   */
  receiveBatch?(): Promise<readonly Run[]>;
  /**
   * Leaves the memory of the last batch to the program that has it: the next
   * `receiveBatch` uses other memory. Without it, sockets copy what a program may
   * keep for longer than until that call.
   */
  leaveBatch?(): void;
  /**
   * Whether it never uses the memory of a batch again. Sockets copy nothing then,
   * and a program that keeps a datagram keeps the memory of its run alive.
   * @default {false}
   */
  readonly leavesMemory?: boolean | undefined;
  /**
   * Sends as many of the datagrams as it can at once, in order. The caller calls
   * it again for the rest, never concurrently.
   */
  sendBatch?(batch: readonly Outgoing[]): SentBatch | Promise<SentBatch>;
  /**
   * Sends as many of a run's datagrams as it can at once, in order: the bytes of
   * `data`, of which each `segmentSize` are one datagram, and the rest is the last
   * one. There is at least one datagram, and none is empty. The caller calls it
   * again for the rest, never concurrently for one peer. Without it, sockets call
   * `send` for each datagram.
   */
  sendRun?(
    data: Uint8Array,
    segmentSize: number,
    to: Addr,
  ): SentBatch | Promise<SentBatch>;
  /**
   * Returns the address to which a datagram for that name is sent: the one that
   * replies come from.
   *
   * @default {names are compared as they are}
   */
  lookUp?(to: Addr): Promise<Addr>;
  /** Returns how many datagrams the carrier knows it lost, by reason. */
  drops?(): Record<string, number>;
  /**
   * Returns how many datagrams the system dropped before the carrier could read
   * them; `undefined` if that is unknown.
   */
  kernelDrops?(): Promise<number | undefined>;
  /**
   * Returns how many connections the carrier closed or rejected by itself, by
   * reason: for carriers whose peers are connected.
   */
  connections?(): Record<string, number>;
  /** Sends what is still queued, then closes. `close` is not called after it. */
  end?(): Promise<void>;
  /** The clock that its timeouts run on. @default {the system's} */
  readonly clock?: Clock | undefined;
  /**
   * Returns a random number from 0 to 1, without 1: where the sockets' own chance
   * comes from, such as the jitter of retries.
   * @default {Math.random}
   */
  random?(): number;
  /**
   * What can be set while it is open.
   * @default {nothing}
   */
  readonly control?: CarrierControl | undefined;
  /** Makes a pending `receive` keep the program running. This is the default. */
  ref?(): void;
  /** Allows the program to end although a `receive` is pending. */
  unref?(): void;
}

/** How a carrier is dialed. */
export interface DialOptions {
  /** Aborts when the caller gives up: the source closes what it has opened. */
  readonly signal?: AbortSignal | undefined;
}

/** Opens carriers: the `carrier` option of `bind`, `connect` and `serve`. */
export interface CarrierSource {
  /**
   * The schemes of the addresses that it carries. `bind`, `connect` and `serve`
   * reject any other scheme, so that no address is used over a transport that it
   * does not name.
   * @default {any: the source checks the schemes itself}
   */
  readonly schemes?: readonly Scheme[] | undefined;
  /**
   * Opens a carrier at a local address, or throws. A source whose schemes all
   * have a host and a port may declare the parameter as `NetAddr`.
   *
   * @param options What a socket of `@pli/datagram/dgram` asks for. A source
   * ignores what it has no use for.
   */
  listen(address: SchemeAddr | UnixAddr, options?: ListenOptions): Carrier;
  /**
   * Opens a carrier to one peer. Without it the source cannot `connect`.
   * @default {none}
   */
  dial?(
    address: SchemeAddr | UnixAddr,
    options?: DialOptions,
  ): Promise<Carrier>;
}
