import type { NetAddr } from "../addr.ts";
import { requireFunction, requireOptions, wholeNumber } from "../check.ts";
import { errors, InvalidAddressError } from "../errors.ts";
import { formatAddress } from "../address/address.ts";
import type { Carrier, CarrierSource } from "../carrier.ts";
import { Endpoint, type Wire } from "./endpoint.ts";
import {
  checkSeed,
  type Faults,
  flipBit,
  type Passage,
  seedOf,
} from "./faults.ts";
import type {
  NetworkOptions,
  NetworkStats,
  RunOptions,
  SimulatedNetwork,
  TraceEntry,
} from "./network_types.ts";
import { type Direction, type Path, Paths } from "./paths.ts";
import { simulatedHost, toPlace } from "./places.ts";
import { OVERHEAD_BYTES, Room } from "./room.ts";
import { runProgram } from "./run.ts";
import { checkRunOptions } from "./run_options.ts";
import { Chance } from "./virtual/chance.ts";
import { VirtualTime } from "./virtual/time.ts";
import { currentWorld, inReality } from "./virtual/world.ts";
import { VirtualClock } from "./virtual_clock.ts";

const DEFAULT_HOST = "127.0.0.1";
// The range of ports that a system chooses from (RFC 6335, section 6).
const FIRST_DYNAMIC_PORT = 49_152;
const LAST_PORT = 65_535;
const MAX_TRACE = 100_000;
const ACTION = "simulate a network";
// How many datagrams leave at one moment of virtual time, at most: without that,
// a program that sends without end would stop the time, and the event loop.
const BURST = 256;
// What may be in flight, and what the trace may hold.
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Makes a network in memory that loses, duplicates, reorders, corrupts and delays
 * datagrams. No permission is needed. The same seed gives the same run, to the
 * byte, every time.
 *
 * Its time is virtual: whenever the program only waits, it jumps to the next
 * arrival or timeout, so that hours pass in milliseconds. Its sockets, their
 * `timeoutMs` and `retries` have that time, and inside `run` so have `setTimeout`,
 * `Date` and their like. Real sockets do not: while a program waits for one, the
 * virtual time runs on, except inside `real`.
 *
 * @throws {RangeError} A fault, the seed or `stuckMs` is out of range.
 * @throws {TypeError} The options are no object, or there is no such fault.
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
  options: NetworkOptions = {},
): SimulatedNetwork {
  requireOptions(ACTION, options);
  const { seed = 1, stuckMs = 5000, ...faults } = options;
  return new Network(seed, stuckMs, faults);
}

class Network implements SimulatedNetwork, Wire {
  readonly seed: number;
  readonly clock = new VirtualClock();
  readonly trace: TraceEntry[] = [];
  readonly #stats: NetworkStats = {
    sent: 0,
    duplicated: 0,
    delivered: 0,
    lost: 0,
    overMtu: 0,
    queueFull: 0,
    unreachable: 0,
    inFlight: 0,
    corrupted: 0,
    reordered: 0,
  };
  readonly #stuckMs: number;
  readonly #paths: Paths;
  readonly #room = new Room(MAX_BYTES);
  readonly #traceRoom = new Room(MAX_BYTES);
  readonly #endpoints = new Map<string, Endpoint>();
  // What the program draws has no effect on what the library does, and neither on
  // faults.
  readonly #chance: Chance;
  readonly random: () => number;
  #burstAt = 0;
  #burst = 0;

  constructor(seed: number, stuckMs: number, faults: Faults) {
    this.seed = checkSeed(seed);
    this.#stuckMs = wholeNumber(ACTION, "stuckMs", stuckMs, 1, Infinity);
    this.#paths = new Paths(seed, faults);
    this.#chance = new Chance(seedOf(seed, "program"));
    this.random = new Chance(seedOf(seed, "sockets")).random;
  }

  readonly schemes = ["udp"] as const;

  get stats(): NetworkStats {
    return { ...this.#stats };
  }

  listen(address: NetAddr): Carrier {
    return this.#listen(address, DEFAULT_HOST);
  }

  dial(address: NetAddr): Promise<Carrier> {
    return this.#dial(address, DEFAULT_HOST);
  }

  host(hostname: string): CarrierSource {
    const { hosts: [host = DEFAULT_HOST], port } = toPlace(hostname, "host");
    if (port !== undefined) {
      throw new InvalidAddressError(hostname, "a host has no port");
    }
    return {
      schemes: this.schemes,
      listen: (address: NetAddr) => this.#listen(address, host),
      dial: (address: NetAddr) => this.#dial(address, host),
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

  async run<T>(
    program: () => T | Promise<T>,
    options: RunOptions = {},
  ): Promise<T> {
    requireFunction("run", "program", program);
    const { seed, clock } = this;
    const { timers, random, now } = checkRunOptions(options);
    const time = timers === "real" ? undefined : new VirtualTime(clock, now);
    const chance = random === "real" ? undefined : this.#chance;
    return await runProgram(program, {
      seed,
      clock,
      world: { time, chance },
      endpoints: () => [...this.#endpoints.values()],
      inFlight: () => this.#stats.inFlight,
      stuckMs: this.#stuckMs,
    });
  }

  async real<T>(job: () => T | Promise<T>): Promise<T> {
    requireFunction("real", "job", job);
    const end = currentWorld()?.time?.jobs.begin("network.real");
    try {
      return await inReality(job);
    } finally {
      end?.();
    }
  }

  carry(
    from: NetAddr,
    to: NetAddr,
    data: Uint8Array,
  ): Promise<void> | undefined {
    const path = this.#paths.between(from, to);
    const now = this.clock.now();
    const passages = path.link.cross(data.length, now);
    this.#stats.sent++;
    this.#stats.duplicated += passages.length - 1;
    for (const passage of passages) {
      const { fate, at, flippedBit } = passage;
      if (this.#paths.isParted(path)) this.#record(path, data, "partitioned");
      else if (fate !== "passed") this.#record(path, data, fate);
      else if (!this.#room.take(data.length + OVERHEAD_BYTES)) {
        this.#record(path, data, "queueFull");
      } else {
        const copy = flippedBit === undefined
          ? data
          : flipBit(data, flippedBit);
        this.#stats.inFlight++;
        this.clock.after(at - now, () => this.#arrive(path, copy, passage));
      }
    }
    return this.#pause(now);
  }

  /** Returns a pause of 1 ms after each burst that is sent at one moment. */
  #pause(now: number): Promise<void> | undefined {
    if (now !== this.#burstAt) {
      this.#burstAt = now;
      this.#burst = 0;
    }
    if (++this.#burst % BURST > 0) return undefined;
    return new Promise((go) => void this.clock.after(1, go));
  }

  leave({ addr }: Endpoint): void {
    this.#endpoints.delete(formatAddress(addr));
  }

  #arrive(path: Path, data: Uint8Array, passage: Passage): void {
    this.#stats.inFlight--;
    this.#room.free(data.length + OVERHEAD_BYTES);
    this.#record(path, data, this.#deliver(path, data), passage);
  }

  #deliver(path: Path, data: Uint8Array): TraceEntry["fate"] {
    if (this.#paths.isParted(path)) return "partitioned";
    const endpoint = this.#endpoints.get(formatAddress(path.to));
    if (endpoint === undefined) return "unreachable";
    const { queue } = path.faults;
    return endpoint.deliver(data, path.from, queue) ? "delivered" : "queueFull";
  }

  #record(
    { from, to }: Path,
    data: Uint8Array,
    fate: TraceEntry["fate"],
    { flippedBit, reordered = false }: Partial<Passage> = {},
  ): void {
    const corrupted = flippedBit !== undefined;
    this.#stats[fate === "partitioned" ? "lost" : fate]++;
    if (fate === "delivered") {
      if (corrupted) this.#stats.corrupted++;
      if (reordered) this.#stats.reordered++;
    }
    if (this.trace.length === MAX_TRACE) return;
    if (!this.#traceRoom.take(data.length)) return;
    this.trace.push({
      time: this.clock.now(),
      from: formatAddress(from),
      to: formatAddress(to),
      data,
      corrupted,
      reordered,
      fate,
    });
  }

  #listen(address: NetAddr, host: string): Endpoint {
    const hostname = simulatedHost(address.hostname, host);
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

  #dial({ hostname, port }: NetAddr, host: string): Promise<Carrier> {
    return Promise.try(() => {
      const local = { transport: "udp", hostname: host, port: 0 } as const;
      const endpoint = this.#listen(local, host);
      const peer = simulatedHost(hostname, host);
      endpoint.remote = { transport: "udp", hostname: peer, port };
      return endpoint;
    });
  }

  #freePort(hostname: string): number {
    for (let port = FIRST_DYNAMIC_PORT; port <= LAST_PORT; port++) {
      const key = formatAddress({ transport: "udp", hostname, port });
      if (!this.#endpoints.has(key)) return port;
    }
    throw new errors.AddrInUse(`no port of ${hostname} is free`);
  }
}
