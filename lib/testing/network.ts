import type { NetAddr } from "../addr.ts";
import { errors } from "../errors.ts";
import { formatAddress } from "../address/address.ts";
import type { Carrier, CarrierSource } from "../carrier.ts";
import type { Clock } from "../clock.ts";
import { Endpoint, type Wire } from "./endpoint.ts";
import { printLine, reasonOf } from "../warnings.ts";
import { checkSeed, type Faults, flipBit } from "./faults.ts";
import { type Direction, type Path, Paths } from "./paths.ts";
import { VirtualClock } from "./virtual_clock.ts";

const DEFAULT_HOST = "127.0.0.1";
// The range of ports that a system chooses from (RFC 6335, section 6).
const FIRST_DYNAMIC_PORT = 49_152;
const LAST_PORT = 65_535;
const MAX_TRACE = 100_000;
// How many sockets the message about a stuck program names.
const MAX_SHOWN = 10;
// Real time within which a program must do something once nothing is in flight.
const STUCK_MS = 1000;

/** How {@linkcode simulateNetwork} makes its network. */
export interface NetworkOptions extends Faults {
  /** Seed of the random generators; the same seed gives the same run. @default {1} */
  seed?: number | undefined;
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
  /** What happened; `partitioned` is counted as `lost`. */
  fate:
    | "delivered"
    | "lost"
    | "partitioned"
    | "overMtu"
    | "queueFull"
    | "unreachable";
}

/** Datagrams by fate: sent + duplicated = the sum of the others. */
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
  /** Dropped because too many waited, for bandwidth or at the receiver. */
  queueFull: number;
  /** Dropped because no socket was bound to their address when they arrived. */
  unreachable: number;
  /** Not arrived yet. */
  inFlight: number;
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
  /** What happened to each datagram, in the order of time; the first 100,000. */
  readonly trace: readonly TraceEntry[];
  /** How many datagrams had each fate so far. */
  readonly stats: NetworkStats;
  /** Returns another host: sockets that its source binds or dials have its address. */
  host(hostname: string): CarrierSource;
  /**
   * Changes faults from now on, everywhere or in one direction; those that are
   * not given stay. Later calls win.
   *
   * @throws {RangeError} A fault is out of range.
   */
  set(faults: Faults, direction?: Direction): void;
  /** Drops all datagrams between two hosts or addresses, in both directions. */
  partition(a: string, b: string): void;
  /** Ends that partition; without arguments all partitions. */
  heal(a?: string, b?: string): void;
  /**
   * Runs a program over the network.
   *
   * @returns What the program returns.
   * @throws What the program throws, with the seed that replays the run at the
   * end of its message; if the message cannot be written, the seed is printed to
   * standard error.
   * @throws {Error} The program is stuck: it waits, but nothing is pending on the
   * network or its clock. The message lists the open sockets.
   */
  run<T>(program: () => Promise<T>): Promise<T>;
}

/**
 * Makes a network in memory that loses, duplicates, reorders, corrupts and delays
 * datagrams. No permission is needed. The same seed gives the same run, to the
 * byte, every time.
 *
 * Its time is virtual: whenever the program only waits, it jumps to the next
 * arrival or timeout, so that hours pass in milliseconds. Everything that uses
 * the network's clock runs in that time: its sockets, their `timeoutMs` and
 * `retries`. `setTimeout`, `AbortSignal.timeout`, `crypto.subtle`, files and real
 * sockets do not: while a program waits for them, the virtual time runs on.
 *
 * @throws {RangeError} A fault or the seed is out of range.
 *
 * @example
 * ```ts
 * import { bind, connect } from "@pli/datagram";
 * import { simulateNetwork } from "@pli/datagram/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const network = simulateNetwork({ seed: 7, loss: 0.3, delayMs: { min: 20, max: 80 } });
 * await network.run(async () => {
 *   await using server = bind("udp://10.0.0.1:53", { carrier: network });
 *   await using client = await connect(server.addr, { carrier: network.host("10.0.0.2") });
 *   const reply = client.request("ping", { timeoutMs: 1000, retries: 9 });
 *   const { data, from } = await server.receive();
 *   await server.send(data, from);
 *   assertEquals((await reply).text(), "ping");
 * });
 * ```
 */
export function simulateNetwork(
  { seed = 1, ...faults }: NetworkOptions = {},
): SimulatedNetwork {
  return new Network(seed, faults);
}

class Network implements SimulatedNetwork, Wire {
  readonly seed: number;
  readonly clock = new VirtualClock();
  readonly trace: TraceEntry[] = [];
  readonly stats: NetworkStats = {
    sent: 0,
    duplicated: 0,
    delivered: 0,
    lost: 0,
    overMtu: 0,
    queueFull: 0,
    unreachable: 0,
    inFlight: 0,
  };
  readonly #paths: Paths;
  readonly #endpoints = new Map<string, Endpoint>();

  constructor(seed: number, faults: Faults) {
    this.seed = checkSeed(seed);
    this.#paths = new Paths(seed, faults);
  }

  readonly schemes = ["udp"] as const;

  listen(address: NetAddr): Carrier {
    return this.#listen(address);
  }

  dial(address: NetAddr): Promise<Carrier> {
    return this.#dial(address, DEFAULT_HOST);
  }

  host(hostname: string): CarrierSource {
    return {
      schemes: this.schemes,
      listen: (address: NetAddr) => this.#listen(address),
      dial: (address: NetAddr) => this.#dial(address, hostname),
    };
  }

  set(faults: Faults, direction?: Direction): void {
    this.#paths.set(faults, direction);
  }

  partition(a: string, b: string): void {
    this.#paths.partition(a, b);
  }

  heal(a?: string, b?: string): void {
    this.#paths.heal(a, b);
  }

  async run<T>(program: () => Promise<T>): Promise<T> {
    const stuck = Promise.withResolvers<never>();
    let idleSince: number | undefined;
    const watch = setInterval(() => {
      const now = performance.now();
      if (this.clock.planned > 0) idleSince = undefined;
      else if (now - (idleSince ??= now) >= STUCK_MS) {
        stuck.reject(new Error(stuckMessage([...this.#endpoints.values()])));
      }
    }, STUCK_MS / 4);
    try {
      return await Promise.race([program(), stuck.promise]);
    } catch (error) {
      reportSeed(error, this.seed);
      throw error;
    } finally {
      clearInterval(watch);
    }
  }

  carry(from: NetAddr, to: NetAddr, data: Uint8Array): void {
    const path = this.#paths.between(from, to);
    const passages = path.link.cross(data.length, this.clock.now());
    this.stats.sent++;
    this.stats.duplicated += passages.length - 1;
    const parted = this.#paths.isParted(path);
    for (const { fate, at, flippedBit } of passages) {
      if (parted) this.#record(path, data, "partitioned");
      else if (fate !== "passed") this.#record(path, data, fate);
      else {
        const copy = flippedBit === undefined
          ? data
          : flipBit(data, flippedBit);
        this.stats.inFlight++;
        this.clock.after(
          at - this.clock.now(),
          () => this.#arrive(path, copy),
        );
      }
    }
  }

  leave({ addr }: Endpoint): void {
    this.#endpoints.delete(formatAddress(addr));
  }

  #arrive(path: Path, data: Uint8Array): void {
    this.stats.inFlight--;
    const endpoint = this.#endpoints.get(formatAddress(path.to));
    const fate = endpoint === undefined
      ? "unreachable"
      : endpoint.deliver(data, path.from, path.faults.queue)
      ? "delivered"
      : "queueFull";
    this.#record(path, data, fate);
  }

  #record(
    { from, to }: Path,
    data: Uint8Array,
    fate: TraceEntry["fate"],
  ): void {
    this.stats[fate === "partitioned" ? "lost" : fate]++;
    if (this.trace.length === MAX_TRACE) return;
    this.trace.push({
      time: this.clock.now(),
      from: formatAddress(from),
      to: formatAddress(to),
      data,
      fate,
    });
  }

  #listen(address: NetAddr): Endpoint {
    const { hostname } = address;
    if (hostname === "0.0.0.0" || hostname === "::") {
      throw new errors.AddrNotAvailable(
        "on the simulated network a socket has one host's address",
      );
    }
    const port = address.port === 0 ? this.#freePort(hostname) : address.port;
    const addr: NetAddr = { transport: "udp", hostname, port };
    const key = formatAddress(addr);
    if (this.#endpoints.has(key)) {
      throw new errors.AddrInUse("Address already in use");
    }
    const endpoint = new Endpoint(this, addr);
    this.#endpoints.set(key, endpoint);
    return endpoint;
  }

  #dial(
    remote: NetAddr,
    hostname: string,
  ): Promise<Carrier> {
    const local = { ...remote, hostname, port: 0 };
    return Promise.try(() => this.#listen(local));
  }

  #freePort(hostname: string): number {
    for (let port = FIRST_DYNAMIC_PORT; port <= LAST_PORT; port++) {
      const key = formatAddress({ transport: "udp", hostname, port });
      if (!this.#endpoints.has(key)) return port;
    }
    throw new errors.AddrInUse(`no port of ${hostname} is free`);
  }
}

/** Says that a program is stuck, and which sockets it has open. */
function stuckMessage(endpoints: readonly Endpoint[]): string {
  const shown = endpoints.slice(0, MAX_SHOWN).map(({ addr, waits, unread }) => {
    const state = waits
      ? "receiving"
      : unread > 0
      ? `${unread} unread`
      : "idle";
    return `${formatAddress(addr)} (${state})`;
  });
  const more = endpoints.length - shown.length;
  if (more > 0) shown.push(`${more} more`);
  const open = shown.length > 0 ? shown.join(", ") : "none";
  return "The program is stuck: it waits, but nothing is pending on the " +
    `simulated network or its clock; open sockets: ${open}`;
}

/** Adds the seed to an error's message, or prints it if that is impossible. */
function reportSeed(error: unknown, seed: number): void {
  const note = `(simulated network, seed ${seed})`;
  try {
    if (error instanceof Error) {
      if (!error.message.includes(note)) error.message += ` ${note}`;
      if (error.message.includes(note)) return;
    }
  } catch {
    // Frozen, or a getter as that of a DOMException.
  }
  printLine(`${reasonOf(error)} ${note}`);
}
