import type { CarrierSource } from "../carrier.ts";
import type { Clock } from "../clock.ts";
import type { Fate } from "./fates.ts";
import type { Faults } from "./faults.ts";
import type { HostOptions, SimulatedHost } from "./hosts.ts";
import type { Direction } from "./paths.ts";
import type { Rule } from "./rules.ts";

/** How `simulateNetwork` makes its network. */
export interface NetworkOptions extends Faults {
  /** Seed of the random generators; the same seed gives the same run. @default {1} */
  seed?: number | undefined;
  /**
   * How long `run` waits, in milliseconds of real time, while nothing happens and
   * nothing is planned, before it takes the program for stuck. A program that
   * waits longer than that for something real (a file, a process, a real socket)
   * needs more; `Infinity` waits for ever.
   * @default {5000}
   */
  stuckMs?: number | undefined;
  /**
   * What happens to single datagrams, instead of all faults, as the `fates` of
   * another network or `searchSeeds` tell it. All others arrive at once. Rules
   * are asked before.
   * @default {the faults decide}
   */
  fates?: readonly Fate[] | undefined;
}

/** How `run` runs a program. */
export interface RunOptions {
  /**
   * Whose time the program has. `"virtual"` replaces the platform's timers and
   * dates by those of the network, until the program has ended; `"real"` leaves
   * them as they are.
   * @default {"virtual"}
   */
  timers?: "virtual" | "real" | undefined;
  /**
   * Where the program's random numbers come from. `"seed"` replaces those of the
   * platform by ones that follow from the network's seed, until the program has
   * ended; `"real"` leaves them as they are.
   * @default {"seed"}
   */
  random?: "seed" | "real" | undefined;
  /**
   * The date at the network's time 0, a `Date` or milliseconds since 1970, for
   * `timers: "virtual"`.
   * @default {2026-01-01T00:00:00Z}
   */
  now?: Date | number | undefined;
  /**
   * How long the program may run, in milliseconds of the network's time. If it
   * has not ended then, the run rejects.
   * @default {Infinity}
   */
  limitMs?: number | undefined;
  /**
   * What becomes of timers and sockets that the program has left when it ended:
   * `"report"` prints them to standard error, `"reject"` rejects with them, and
   * `"ignore"` does nothing.
   * @default {"report"}
   */
  left?: "report" | "reject" | "ignore" | undefined;
}

/** How a diagram is drawn. */
export interface DiagramOptions {
  /** How many columns of text it may have, from 40. @default {80} */
  width?: number | undefined;
  /**
   * How many rows it may have, from 2; of more, the first and the last ones are
   * drawn.
   * @default {60}
   */
  rows?: number | undefined;
}

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
