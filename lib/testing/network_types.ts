import type { CarrierSource } from "../carrier.ts";
import type { DgramModule } from "../dgram/types.ts";
import type { Clock } from "../clock.ts";
import type { Fate } from "./fates.ts";
import type { Faults } from "./faults.ts";
import type { HostOptions, SimulatedHost } from "./hosts.ts";
import type { DiagramOptions, RunOptions } from "./network_options.ts";
import type { Direction } from "./paths.ts";
import type { Rule } from "./rules.ts";

/** What happened to a datagram, or to one copy of it. */
export interface TraceEntry {
  /** When that was decided, in milliseconds of the network's time. */
  time: number;
  /** When it was sent. */
  sent: number;
  /** The sender, as `udp://host:port`. */
  from: string;
  /** The receiver, as `udp://host:port`. */
  to: string;
  /** Which datagram of that sender to that receiver it is, from 1. */
  n: number;
  /** Whether it is the copy of one that is in the trace, too. */
  copy: boolean;
  /** Its bytes, as they arrived or would have arrived. */
  data: Uint8Array;
  /** Whether `corrupt` flipped a bit of it. */
  corrupted: boolean;
  /** Whether `reorder` held it back. */
  reordered: boolean;
  /** Whether a rule decided about it. */
  ruled: boolean;
  /**
   * What happened; `partitioned` is counted as `lost`. Only a rule drops
   * (`dropped`).
   */
  fate:
    | "delivered"
    | "lost"
    | "partitioned"
    | "dropped"
    | "overMtu"
    | "queueFull"
    | "unreachable"
    | "crashed";
}

/**
 * Datagrams by fate: sent + duplicated = delivered + lost + dropped + overMtu +
 * queueFull + unreachable + crashed + inFlight.
 */
export interface NetworkStats {
  /** Datagrams that sockets sent. */
  sent: number;
  /** Copies that the network made. */
  duplicated: number;
  /** Datagrams that reached a socket; its own stats count what became of them. */
  delivered: number;
  /** Dropped by `loss`, by a `burst`, or by a partition. */
  lost: number;
  /** Dropped by a rule. */
  dropped: number;
  /** Dropped because they were longer than `mtu`. */
  overMtu: number;
  /**
   * Dropped because too many waited, for bandwidth or at the receiver, or because
   * more than 64 MiB were in flight.
   */
  queueFull: number;
  /** Dropped because no socket was bound to their address when they arrived. */
  unreachable: number;
  /** Dropped because their host had crashed when they arrived. */
  crashed: number;
  /** Not arrived yet. */
  inFlight: number;
  /** Of `delivered`: with a bit that `corrupt` flipped. */
  corrupted: number;
  /** Of `delivered`: held back by `reorder`. */
  reordered: number;
  /** Of `delivered`: duplicated, delayed or changed by a rule. */
  ruled: number;
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
  /**
   * What the faults did to the datagrams that were sent so far: those that are
   * not listed arrive at once, in order and unchanged. The first 100,000; a copy.
   *
   * @example
   * ```ts
   * import { bind, connect } from "@pli/datagram";
   * import { simulateNetwork } from "@pli/datagram/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const network = simulateNetwork({ loss: 1 });
   * await network.run(async () => {
   *   await using server = bind("udp://10.0.0.1:53", { carrier: network });
   *   await using client = await connect(server.addr, { carrier: network });
   *   await client.send("ping");
   * });
   * assertEquals(network.fates, [
   *   { from: "127.0.0.1:49152", to: "10.0.0.1:53", n: 1, lost: true },
   * ]);
   * // A network without faults on which the same happens:
   * simulateNetwork({ fates: network.fates });
   * ```
   */
  readonly fates: Fate[];
  /** How many datagrams had each fate so far: a copy. */
  readonly stats: NetworkStats;
  /**
   * Returns a host: the carrier source of its sockets. Those that it connects
   * have its address. It is the same object for the same host.
   *
   * @param hostname An IP address or a name. `localhost` is 127.0.0.1.
   * @param options How its clock differs from the network's. They have to be given
   * before its clock is used, by a socket or by the program.
   * @throws {InvalidAddressError} Not a host.
   * @throws {RangeError} An option is out of range.
   * @throws {TypeError} The options are no object.
   * @throws {Error} Its clock is in use, and the options would change it.
   */
  host(hostname: string, options?: HostOptions): SimulatedHost;
  /**
   * Returns what `node:dgram` exports, with sockets on the network. They can be
   * bound to all addresses of their host, join groups, and send to broadcast
   * addresses.
   *
   * @param hostname Their host. A socket that is bound to an address is on the host
   * of that address. @default {the host whose `run` runs the program; else
   * 127.0.0.1, and ::1 for `udp6`}
   * @throws {InvalidAddressError} Not a host.
   */
  dgram(hostname?: string): DgramModule;
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
   * Adds a rule, which is asked about each datagram when it is sent. Rules are
   * asked in the order in which they were added, until one decides; then the
   * faults apply. If a rule throws, or returns something else than a verdict, the
   * `send` rejects with that, and the datagram is not sent.
   *
   * @param direction Which datagrams it is asked about. @default {all}
   * @returns Removes the rule when it is disposed.
   * @throws {TypeError} The rule is no function, or `direction` is not one.
   * @throws {InvalidAddressError} `from` or `to` can be the address of no socket.
   */
  rule(rule: Rule, direction?: Direction): Disposable;
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
   * Runs a program over the network, in the network's time and with chance that
   * follows from its seed: `setTimeout`, `setInterval`, `setImmediate`, `Date`,
   * `performance.now`, `AbortSignal.timeout`, `node:timers`, `Math.random`,
   * `crypto.getRandomValues` and their like are replaced until it has ended.
   * While a real job is pending (a file function, `fetch`, `crypto.subtle`, a
   * child process, a DNS look-up, or what `real` counts) the time stands still.
   * Timers and sockets that the program has left are reported on standard error;
   * those timers never come.
   *
   * @returns What the program returns.
   * @throws What the program throws, with the seed that replays the run at the
   * end of its message; if the message cannot be written, the seed is printed to
   * standard error.
   * @throws {Error} The program is stuck: for `stuckMs` nothing happened that
   * would bring it further. The message lists the real jobs that are pending, the
   * open sockets, the planned timers, and how many datagrams are in flight.
   * @throws {Error} Another run is in progress in this thread, or somebody else
   * has replaced the platform's timers.
   * @throws {Error} The program has not ended after `limitMs`, or has left timers
   * or sockets and `left` is `"reject"`.
   * @throws {RangeError} An option has no such value.
   * @throws {TypeError} There is no such option, or `now` is no date.
   */
  run<T>(program: () => T | Promise<T>, options?: RunOptions): Promise<T>;
  /**
   * Calls a function whose work is real: it has the platform's own timers, dates
   * and random numbers, and the network's time stands still until what it returns
   * has settled.
   *
   * @example
   * ```ts
   * import { simulateNetwork } from "@pli/datagram/testing";
   *
   * const network = simulateNetwork();
   * await network.run(async () => {
   *   await network.real(() => new Promise((wake) => setTimeout(wake, 20)));
   *   console.log(network.clock.now()); // 0
   * });
   * ```
   *
   * @returns What the function returns.
   * @throws What the function throws.
   */
  real<T>(job: () => T | Promise<T>): Promise<T>;
  /**
   * Uses up the random numbers that a package keeps from before the run: calls a
   * function of it until that draws from the run's chance. From then on the same
   * seed gives the same, also in the next run of the process. If chance is real,
   * it does nothing.
   *
   * @param draw Draws from the package, as `nanoid` does.
   * @throws {Error} It has drawn nothing in 100,000 calls.
   *
   * @example
   * ```ts
   * import { simulateNetwork } from "@pli/datagram/testing";
   * import { assertEquals } from "@std/assert";
   * import { nanoid } from "nanoid";
   *
   * const ids = () => {
   *   const network = simulateNetwork({ seed: 7 });
   *   return network.run(() => {
   *     network.refill(nanoid);
   *     return [nanoid(), nanoid()];
   *   });
   * };
   * assertEquals(await ids(), await ids());
   * ```
   */
  refill(draw: () => unknown): void;
  /**
   * Draws what has happened so far as a sequence diagram, in text: a column per
   * socket (or per host, if there are many), a row per datagram, with its first
   * bytes or its size, and what the network did to it.
   *
   * @returns Lines, each with a line break.
   * @throws {RangeError} An option is out of range.
   * @throws {TypeError} The options are no object.
   */
  diagram(options?: DiagramOptions): string;
}
