import type { NetAddr } from "../addr.ts";
import { requireFunction, requireOptions, wholeNumber } from "../check.ts";
import { InvalidAddressError } from "../errors.ts";
import type { Carrier } from "../carrier.ts";
import { makeDgram } from "../dgram/module.ts";
import type { DgramModule } from "../dgram/types.ts";
import { drawDiagram } from "./diagram/diagram.ts";
import type { Endpoint, Wire } from "./endpoint.ts";
import { Endpoints } from "./endpoints.ts";
import { checkFates, type Fate } from "./fates.ts";
import { checkSeed, type Faults } from "./faults.ts";
import type { HostOptions, SimulatedHost } from "./hosts.ts";
import { Ledger } from "./ledger.ts";
import { seedOf } from "./link.ts";
import type {
  DiagramOptions,
  NetworkOptions,
  RunOptions,
} from "./network_options.ts";
import type {
  NetworkStats,
  SimulatedNetwork,
  TraceEntry,
} from "./network_types.ts";
import { type Direction, isOn, Paths, toRoute } from "./paths.ts";
import { toPlace } from "./places.ts";
import type { Rule } from "./rules.ts";
import { runProgram, type Setting } from "./run.ts";
import { checkRunOptions } from "./run_options.ts";
import { hostNames, simulatedGround } from "./simulated_ground.ts";
import { Transit } from "./transit.ts";
import { Chance } from "./virtual/chance.ts";
import { refillFrom } from "./virtual/refill.ts";
import { VirtualTime } from "./virtual/time.ts";
import { currentWorld, inReality } from "./virtual/world.ts";
import { VirtualClock } from "./virtual_clock.ts";

const DEFAULT_HOST = "127.0.0.1";
const ACTION = "simulate a network";

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
  return new Network(options);
}

/** See {@linkcode simulateNetwork}. */
export class Network implements SimulatedNetwork, Wire {
  readonly seed: number;
  readonly clock: VirtualClock = new VirtualClock();
  readonly #ledger = new Ledger(this.clock);
  readonly #stuckMs: number;
  readonly #paths: Paths;
  readonly #transit: Transit;
  readonly #endpoints: Endpoints;
  // What the program draws has no effect on what the library does, and neither on
  // faults.
  readonly #chance: Chance;
  readonly random: () => number;

  constructor({ seed = 1, stuckMs = 5000, fates, ...faults }: NetworkOptions) {
    this.seed = checkSeed(seed);
    this.#stuckMs = wholeNumber(ACTION, "stuckMs", stuckMs, 1, Infinity);
    const given = fates === undefined ? undefined : checkFates(fates);
    this.#paths = new Paths(seed, faults, given);
    this.#transit = new Transit(this.clock, this.#paths, this.#ledger);
    this.#endpoints = new Endpoints(
      this,
      this.clock,
      (text) => this.#ledger.note(text),
    );
    this.#chance = new Chance(seedOf(seed, "program"));
    this.random = new Chance(seedOf(seed, "sockets")).random;
  }

  readonly schemes = ["udp"] as const;

  get stats(): NetworkStats {
    return { ...this.#ledger.stats };
  }

  get trace(): readonly TraceEntry[] {
    return this.#ledger.trace;
  }

  get fates(): Fate[] {
    return this.#transit.fates.fates;
  }

  /** Whether `fates` has all of them. */
  get hasAllFates(): boolean {
    return this.#transit.fates.isComplete;
  }

  listen(address: NetAddr): Carrier {
    return this.#endpoints.listen(address, DEFAULT_HOST);
  }

  dial(address: NetAddr): Promise<Carrier> {
    return this.#endpoints.dial(address, DEFAULT_HOST);
  }

  host(hostname: string, options: HostOptions = {}): SimulatedHost {
    const host = this.#endpoints.host(hostOf(hostname, "host"));
    host.use(options);
    return host;
  }

  dgram(hostname?: string): DgramModule {
    const host = hostname === undefined ? undefined : hostOf(hostname, "dgram");
    // Others can look it up from now on.
    if (host !== undefined) this.#endpoints.host(host);
    return makeDgram(simulatedGround(this.#endpoints, host));
  }

  set(faults: Faults, direction?: Direction): void {
    this.#paths.set(faults, direction);
  }

  partition(a: string, b: string): void {
    this.#paths.partition(a, b);
    this.#ledger.note(`${a} and ${b} are parted`);
  }

  heal(a?: string, b?: string): void {
    this.#paths.heal(a, b);
    this.#ledger.note(["healed", a, b].filter(Boolean).join(" "));
  }

  rule(rule: Rule, direction?: Direction): Disposable {
    const route = toRoute(direction, "rule");
    return this.#transit.rules.add(rule, (path) => isOn(route, path));
  }

  async run<T>(
    program: () => T | Promise<T>,
    options: RunOptions = {},
  ): Promise<T> {
    requireFunction("run", "program", program);
    return await runProgram(program, this.setting(options));
  }

  /** Returns what a run needs. */
  setting(options: RunOptions): Setting {
    const { seed, clock } = this;
    const { timers, random, now, dgram, limitMs, left } = checkRunOptions(
      options,
    );
    const time = timers === "real" ? undefined : new VirtualTime(clock, now);
    const chance = random === "real" ? undefined : this.#chance;
    return {
      seed,
      clock,
      world: {
        ...{ time, chance },
        ...(dgram &&
          { dgram: this.dgram(), hosts: hostNames(this.#endpoints) }),
      },
      endpoints: () => this.#endpoints.all,
      inFlight: () => this.#ledger.stats.inFlight,
      stuckMs: this.#stuckMs,
      limitMs,
      left,
    };
  }

  /** Ends the network: what a program has left does not go on. */
  end(): void {
    this.clock.end();
  }

  /** @param end What is noted below, if it is given. */
  diagram(options: DiagramOptions = {}, end?: string): string {
    const { events, notes } = this.#ledger;
    if (end === undefined) return drawDiagram(events, notes, options);
    const last = { time: this.clock.now(), order: Infinity, text: end };
    return drawDiagram(events, [...notes, last], options);
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

  refill(draw: () => unknown): void {
    requireFunction("refill", "draw", draw);
    refillFrom(currentWorld()?.chance, draw);
  }

  carry(
    from: Endpoint,
    to: NetAddr,
    data: Uint8Array,
  ): Promise<void> | undefined {
    return this.#transit.carry(this.#endpoints, from, to, data);
  }

  leave(endpoint: Endpoint): void {
    this.#endpoints.leave(endpoint);
  }
}

/** Reads a host. @throws {InvalidAddressError} It is not one. */
function hostOf(text: string, operation: string): string {
  const { hosts: [name = DEFAULT_HOST], port } = toPlace(text, operation);
  if (port === undefined) return name;
  throw new InvalidAddressError(text, "a host has no port");
}
