import type { CarrierSource } from "../carrier.ts";
import type { Clock } from "../clock.ts";
import type { Faults } from "./faults.ts";
import type { Direction } from "./paths.ts";

/** How `simulateNetwork` makes its network. */
export interface NetworkOptions extends Faults {
  /** Seed of the random generators; the same seed gives the same run. @default {1} */
  seed?: number | undefined;
  /**
   * How long `run` waits, in milliseconds of real time, while nothing happens on
   * the network and nothing is pending on it or its clock, before it takes the
   * program for stuck. A program that waits longer than that for something real
   * (`setTimeout`, a file, a process) needs more; `Infinity` waits for ever.
   * @default {5000}
   */
  stuckMs?: number | undefined;
}

/** What happened to a datagram, or to one copy of it. */
export interface TraceEntry {
  /** When that was decided, in milliseconds of the network's time. */
  time: number;
  /** The sender, as `udp://host:port`. */
  from: string;
  /** The receiver, as `udp://host:port`. */
  to: string;
  /** Its bytes, as they arrived or would have arrived. */
  data: Uint8Array;
  /** Whether `corrupt` flipped a bit of it. */
  corrupted: boolean;
  /** Whether `reorder` held it back. */
  reordered: boolean;
  /** What happened; `partitioned` is counted as `lost`. */
  fate:
    | "delivered"
    | "lost"
    | "partitioned"
    | "overMtu"
    | "queueFull"
    | "unreachable";
}

/**
 * Datagrams by fate: sent + duplicated = delivered + lost + overMtu + queueFull +
 * unreachable + inFlight.
 */
export interface NetworkStats {
  /** Datagrams that sockets sent. */
  sent: number;
  /** Copies that the network made. */
  duplicated: number;
  /** Datagrams that reached a socket; its own stats count what became of them. */
  delivered: number;
  /** Dropped by `loss`, or by a partition. */
  lost: number;
  /** Dropped because they were longer than `mtu`. */
  overMtu: number;
  /**
   * Dropped because too many waited, for bandwidth or at the receiver, or because
   * more than 64 MiB were in flight.
   */
  queueFull: number;
  /** Dropped because no socket was bound to their address when they arrived. */
  unreachable: number;
  /** Not arrived yet. */
  inFlight: number;
  /** Of `delivered`: with a bit that `corrupt` flipped. */
  corrupted: number;
  /** Of `delivered`: held back by `reorder`. */
  reordered: number;
}

/**
 * A network in memory, with faults that a seed decides. As a carrier source it
 * is the host 127.0.0.1.
 */
export interface SimulatedNetwork extends CarrierSource {
  /** Seed of its random generators. */
  readonly seed: number;
  /** Its time: virtual, from 0, in milliseconds. */
  readonly clock: Clock;
  /**
   * What happened to each datagram, in the order of time: the first 100,000, or
   * 64 MiB of data.
   */
  readonly trace: readonly TraceEntry[];
  /** How many datagrams had each fate so far: a copy. */
  readonly stats: NetworkStats;
  /**
   * Returns the carrier source of another host: the sockets that it connects have
   * that address.
   *
   * @param hostname An IP address or a name. `localhost` is 127.0.0.1.
   * @throws {InvalidAddressError} Not a host.
   */
  host(hostname: string): CarrierSource;
  /**
   * Changes faults from now on, everywhere or in one direction; those that are
   * not given stay. Later calls win. Datagrams that are in flight keep their
   * times, and later ones do not overtake them.
   *
   * @throws {RangeError} A fault is out of range.
   * @throws {TypeError} There is no such fault, or `direction` is not one.
   * @throws {InvalidAddressError} `from` or `to` can be the address of no socket.
   */
  set(faults: Faults, direction?: Direction): void;
  /**
   * Drops all datagrams between two hosts or addresses, in both directions; also
   * those that are in flight when they would arrive.
   *
   * @param a A host (`10.0.0.1`) or a host and a port (`10.0.0.1:53`).
   * @throws {InvalidAddressError} It can be the address of no socket.
   */
  partition(a: string, b: string): void;
  /**
   * Ends partitions: those between two hosts or addresses, with one argument all
   * of that host or address, without arguments all. A host includes its ports.
   *
   * @throws {InvalidAddressError} It can be the address of no socket.
   */
  heal(a?: string, b?: string): void;
  /**
   * Runs a program over the network.
   *
   * @returns What the program returns.
   * @throws What the program throws, with the seed that replays the run at the
   * end of its message; if the message cannot be written, the seed is printed to
   * standard error.
   * @throws {Error} The program is stuck: for `stuckMs` nothing happened on the
   * network, and nothing is pending on it or its clock. The message lists the
   * open sockets.
   */
  run<T>(program: () => Promise<T>): Promise<T>;
}
