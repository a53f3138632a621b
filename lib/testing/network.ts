import type { NetAddr } from "../addr.ts";
import { requireFunction, requireOptions, wholeNumber } from "../check.ts";
import { errors, InvalidAddressError } from "../errors.ts";
import { formatAddress } from "../address/address.ts";
import type { Carrier } from "../carrier.ts";
import { Endpoint, type Wire } from "./endpoint.ts";
import { checkSeed, type Faults } from "./faults.ts";
import { Host, type HostOptions, type SimulatedHost } from "./hosts.ts";
import { Ledger, type Marks } from "./ledger.ts";
import { flipBit } from "./link.ts";
import type {
  NetworkOptions,
  NetworkStats,
  SimulatedNetwork,
  TraceEntry,
} from "./network_types.ts";
import { type Direction, isOn, type Path, Paths, toRoute } from "./paths.ts";
import { simulatedHost, toPlace } from "./places.ts";
import { OVERHEAD_BYTES, Room } from "./room.ts";
import { type Rule, Rules } from "./rules.ts";
import { runProgram } from "./run.ts";
import { VirtualClock } from "./virtual_clock.ts";

const DEFAULT_HOST = "127.0.0.1";
// The range of ports that a system chooses from (RFC 6335, section 6).
const FIRST_DYNAMIC_PORT = 49_152;
const LAST_PORT = 65_535;
const ACTION = "simulate a network";
// How many datagrams leave at one moment of virtual time, at most: without that,
// a program that sends without end would stop the time, and the event loop.
const BURST = 256;
// What may be in flight.
const MAX_BYTES = 64 * 1024 * 1024;

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
  readonly #ledger = new Ledger(this.clock);
  readonly #stuckMs: number;
  readonly #paths: Paths;
  readonly #room = new Room(MAX_BYTES);
  readonly #rules = new Rules<Path>();
  readonly #hosts = new Map<string, Host>();
  readonly #endpoints = new Map<string, Endpoint>();
  #burstAt = 0;
  #burst = 0;

  constructor(seed: number, stuckMs: number, faults: Faults) {
    this.seed = checkSeed(seed);
    this.#stuckMs = wholeNumber(ACTION, "stuckMs", stuckMs, 1, Infinity);
    this.#paths = new Paths(seed, faults);
  }

  readonly schemes = ["udp"] as const;

  get stats(): NetworkStats {
    return { ...this.#ledger.stats };
  }

  get trace(): readonly TraceEntry[] {
    return this.#ledger.trace;
  }

  listen(address: NetAddr): Carrier {
    return this.#listen(address, DEFAULT_HOST);
  }

  dial(address: NetAddr): Promise<Carrier> {
    return this.#dial(address, DEFAULT_HOST);
  }

  host(hostname: string, options: HostOptions = {}): SimulatedHost {
    const { hosts: [name = DEFAULT_HOST], port } = toPlace(hostname, "host");
    if (port !== undefined) {
      throw new InvalidAddressError(hostname, "a host has no port");
    }
    const host = this.#host(name);
    host.use(options);
    return host;
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

  rule(rule: Rule, direction?: Direction): Disposable {
    const route = toRoute(direction, "rule");
    return this.#rules.add(rule, (path) => isOn(route, path));
  }

  async run<T>(program: () => Promise<T>): Promise<T> {
    requireFunction("run", "program", program);
    const { seed, clock } = this;
    const endpoints = () => [...this.#endpoints.values()];
    return await runProgram(program, {
      seed,
      clock,
      endpoints,
      stuckMs: this.#stuckMs,
    });
  }

  carry(
    from: NetAddr,
    to: NetAddr,
    data: Uint8Array,
  ): Promise<void> | undefined {
    const path = this.#paths.between(from, to);
    // The network has not changed yet: a rule may throw, or send by itself.
    const decision = this.#rules.ask(path, { ...path, data });
    const ruled = decision !== undefined;
    const bytes = decision?.data ?? data;
    const now = this.clock.now();
    const passages = path.link.cross(bytes.length, now, decision);
    const { stats } = this.#ledger;
    stats.sent++;
    stats.duplicated += passages.length - 1;
    for (const { fate, at, ...marks } of passages) {
      const record = (fate: TraceEntry["fate"]) =>
        this.#ledger.record(path, bytes, fate, { ...marks, ruled });
      if (fate === "dropped") record(fate);
      else if (this.#paths.isParted(path)) record("partitioned");
      else if (fate !== "passed") record(fate);
      else if (!this.#room.take(bytes.length + OVERHEAD_BYTES)) {
        record("queueFull");
      } else {
        const { flippedBit } = marks;
        const copy = flippedBit === undefined
          ? bytes
          : flipBit(bytes, flippedBit);
        stats.inFlight++;
        this.clock.after(
          at - now,
          () => this.#arrive(path, copy, { ...marks, ruled }),
        );
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

  #arrive(path: Path, data: Uint8Array, marks: Marks): void {
    this.#ledger.stats.inFlight--;
    this.#room.free(data.length + OVERHEAD_BYTES);
    this.#ledger.record(path, data, this.#deliver(path, data), marks);
  }

  #deliver(path: Path, data: Uint8Array): TraceEntry["fate"] {
    if (this.#paths.isParted(path)) return "partitioned";
    if (this.#hosts.get(path.to.hostname)?.isUp === false) return "crashed";
    const endpoint = this.#endpoints.get(formatAddress(path.to));
    if (endpoint === undefined) return "unreachable";
    const { queue } = path.faults;
    return endpoint.deliver(data, path.from, queue) ? "delivered" : "queueFull";
  }

  #host(hostname: string): Host {
    let host = this.#hosts.get(hostname);
    if (host === undefined) {
      const { clock } = this;
      host = new Host(hostname, {
        clock,
        listen: (address) => this.#listen(address, hostname),
        dial: (address) => this.#dial(address, hostname),
        crash: () => this.#crash(hostname),
      });
      this.#hosts.set(hostname, host);
    }
    return host;
  }

  #crash(hostname: string): void {
    for (const endpoint of [...this.#endpoints.values()]) {
      if (endpoint.addr.hostname === hostname) endpoint.close();
    }
  }

  #listen(address: NetAddr, host: string): Endpoint {
    const hostname = simulatedHost(address.hostname, host);
    if (hostname === "0.0.0.0" || hostname === "::") {
      throw new errors.AddrNotAvailable(
        "on the simulated network a socket has one host's address",
      );
    }
    const owner = this.#host(hostname);
    if (!owner.isUp) {
      throw new errors.AddrNotAvailable(
        `the host ${hostname} has crashed; restart it`,
      );
    }
    const port = address.port === 0 ? this.#freePort(hostname) : address.port;
    const addr: NetAddr = { transport: "udp", hostname, port };
    const key = formatAddress(addr);
    if (this.#endpoints.has(key)) {
      throw new errors.AddrInUse("Address already in use");
    }
    const endpoint = new Endpoint(this, addr, owner.clock);
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
