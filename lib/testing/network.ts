import type { NetAddr } from "../addr.ts";
import { errors } from "../errors.ts";
import { formatAddress } from "../address/address.ts";
import type { Carrier, CarrierSource } from "../carrier.ts";
import type { Clock } from "../clock.ts";
import { Endpoint, type Wire } from "./endpoint.ts";
import { type Faults, flipBit } from "./faults.ts";
import { type Direction, type Path, Paths } from "./paths.ts";
import { VirtualClock } from "./virtual_clock.ts";

const DEFAULT_HOST = "127.0.0.1";
// The range for ports that the system chooses (RFC 6335, section 6).
const FIRST_DYNAMIC_PORT = 49_152;
const LAST_PORT = 65_535;
const MAX_TRACE = 100_000;
// Real time in which a program must do something, once nothing is in flight.
const STUCK_MS = 1000;

/** How {@linkcode simulateNetwork} makes its network. */
export interface NetworkOptions extends Faults {
  /** What all its chances follow from: the same seed, the same run. @default {1} */
  seed?: number;
}

/** What became of a datagram, or of one copy of it. */
export interface TraceEntry {
  /** When that was clear, in milliseconds of the network's time. */
  time: number;
  /** The sender, as `udp://host:port`. */
  from: string;
  /** The receiver, likewise. */
  to: string;
  /** Its bytes, as they arrived or would have. */
  data: Uint8Array;
  /** What became of it; `partitioned` is counted as lost. */
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
  /** What the sockets sent. */
  sent: number;
  /** Copies that the network made. */
  duplicated: number;
  /** What reached a socket; whether that delivers it, its own stats tell. */
  delivered: number;
  /** By chance, or by a partition. */
  lost: number;
  /** Longer than `mtu`. */
  overMtu: number;
  /** Too many waited, for bandwidth or at the receiver. */
  queueFull: number;
  /** Nobody had bound the address when it arrived. */
  unreachable: number;
  /** Still on the way. */
  inFlight: number;
}

/**
 * A network in memory, which fails as told and by its seed. As a carrier source
 * it is the host 127.0.0.1.
 */
export interface SimulatedNetwork extends CarrierSource {
  /** What all its chances follow from. */
  readonly seed: number;
  /** Its time: virtual, from 0, in milliseconds. */
  readonly clock: Clock;
  /** Each datagram's fate, in the order of time; the first 100,000. */
  readonly trace: readonly TraceEntry[];
  /** How many datagrams met which fate so far. */
  readonly stats: NetworkStats;
  /** Another host on it: what binds and connects there has its address. */
  host(hostname: string): CarrierSource;
  /**
   * Changes faults from now on, everywhere or in one direction; those that are
   * left out stay. Later calls win.
   *
   * @throws {RangeError} A fault is out of range.
   */
  set(faults: Faults, direction?: Direction): void;
  /** Lets nothing pass between two hosts or addresses, in either direction. */
  partition(a: string, b: string): void;
  /** Ends that partition; without arguments all. */
  heal(a?: string, b?: string): void;
  /**
   * Runs a program over the network and gives its result. What it throws says
   * the seed that replays it.
   *
   * @throws {Error} The program waits for something that is neither the network
   * nor its clock, and would hang.
   */
  run<T>(program: () => Promise<T>): Promise<T>;
}

/**
 * Makes a network in memory, on which datagrams are lost, doubled, reordered,
 * corrupted and delayed as told. No permission is needed. The same seed gives
 * the same run, to the byte, every time.
 *
 * Its time is virtual: whenever the program only waits, it jumps to the next
 * arrival or timeout, so that hours pass in milliseconds. That holds for what
 * runs on the network's clock: its sockets, their `timeoutMs` and `retries`.
 * `setTimeout`, `AbortSignal.timeout`, `crypto.subtle`, files and real sockets
 * are outside: while a program waits for those, the virtual time runs on.
 *
 * @throws {RangeError} A fault is out of range.
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
    if (!Number.isSafeInteger(seed)) {
      throw new RangeError(
        `Cannot simulate: seed must be a whole number: given ${seed}`,
      );
    }
    this.seed = seed;
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
        stuck.reject(
          new Error(
            "The program waits, and neither the network nor its clock has anything to come",
          ),
        );
      }
    }, STUCK_MS / 4);
    try {
      return await Promise.race([program(), stuck.promise]);
    } catch (error) {
      if (error instanceof Error) {
        error.message += ` (simulated network, seed ${this.seed})`;
      }
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
