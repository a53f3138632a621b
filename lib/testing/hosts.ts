import type { NetAddr } from "../addr.ts";
import { outOfRange, requireFunction, requireOptions } from "../check.ts";
import type { Carrier, CarrierSource } from "../carrier.ts";
import type { Clock } from "../clock.ts";
import { cannot, fieldsOf, withFields } from "../errors.ts";
import { runOnHost } from "./current_host.ts";

/** How a host's clock differs from the network's. */
export interface HostOptions {
  /** What it is ahead at time 0, in milliseconds; negative if behind. @default {0} */
  skewMs?: number | undefined;
  /**
   * How many milliseconds of it pass in one of the network's, from 0.1 to 10.
   * @default {1}
   */
  rate?: number | undefined;
}

/** A host of a simulated network, as a carrier source: the sockets on it. */
export interface SimulatedHost extends CarrierSource {
  /** Its address, or its name. */
  readonly hostname: string;
  /** Its clock, on which the timeouts of its sockets run. */
  readonly clock: Clock;
  /**
   * Whether it is up: not crashed, or restarted since.
   * @default {true}
   */
  readonly isUp: boolean;
  /**
   * Calls a program that runs on this host, and returns what it returns: the
   * sockets of `node:dgram` that it opens, now or later, are on this host if
   * they are on the network at all (`network.dgram()`, and `dgram: true`).
   *
   * @example
   * ```ts
   * import { simulateNetwork } from "@pli/datagram/testing";
   *
   * const network = simulateNetwork();
   * const { createSocket } = network.dgram();
   * const socket = network.host("10.0.0.2").run(() => createSocket("udp4").bind(53));
   * ```
   */
  run<T>(program: () => T): T;
  /**
   * Ends all sockets of the host, as a power failure does: for its own program
   * they are closed from now on (pending and later calls reject with
   * `SocketClosedError`), and no peer is told. Until `restart`, no socket can be
   * opened on it, and datagrams that would arrive there are counted as `crashed`.
   * What it has sent still arrives. If it has crashed already, nothing happens.
   */
  crash(): void;
  /**
   * Lets sockets be opened on the host again. Datagrams that are in flight since
   * before the crash reach a new socket at their address, as on a real network.
   * If it is up, nothing happens.
   */
  restart(): void;
}

/** What a host needs from its network. */
export interface HostWire {
  readonly clock: Clock;
  listen(address: NetAddr): Carrier;
  dial(address: NetAddr): Promise<Carrier>;
  /** Closes all sockets of the host. */
  crash(): void;
  /** Is told that it is up again. */
  restart(): void;
}

const ACTION = "simulate a host";
const MAX_SKEW_MS = 8.64e15;
const MIN_RATE = 0.1;
const MAX_RATE = 10;

/** A host of a simulated network. */
export class Host implements SimulatedHost {
  readonly schemes = ["udp"] as const;
  readonly hostname: string;
  readonly #wire: HostWire;
  #skewMs = 0;
  #rate = 1;
  #clock: Clock;
  #hasClock = false;
  #isUp = true;

  constructor(hostname: string, wire: HostWire) {
    this.hostname = hostname;
    this.#wire = wire;
    this.#clock = wire.clock;
  }

  get clock(): Clock {
    this.#hasClock = true;
    return this.#clock;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /**
   * Sets the clock.
   *
   * @throws {RangeError} An option is out of range.
   * @throws {TypeError} The options are no object.
   * @throws {Error} The clock is in use.
   */
  use(options: HostOptions): void {
    requireOptions(ACTION, options);
    const { skewMs = this.#skewMs, rate = this.#rate } = options;
    within("skewMs", skewMs, -MAX_SKEW_MS, MAX_SKEW_MS);
    within("rate", rate, MIN_RATE, MAX_RATE);
    if (skewMs === this.#skewMs && rate === this.#rate) return;
    if (this.#hasClock) {
      const why = `the clock of ${this.hostname} is in use; ` +
        "give its options before its first socket";
      throw withFields(new Error(cannot(ACTION, why)), fieldsOf(ACTION));
    }
    this.#skewMs = skewMs;
    this.#rate = rate;
    this.#clock = skewed(this.#wire.clock, skewMs, rate);
  }

  listen(address: NetAddr): Carrier {
    return this.#wire.listen(address);
  }

  dial(address: NetAddr): Promise<Carrier> {
    return this.#wire.dial(address);
  }

  run<T>(program: () => T): T {
    requireFunction("run", "program", program);
    return runOnHost(this.hostname, program);
  }

  crash(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#wire.crash();
  }

  restart(): void {
    if (this.#isUp) return;
    this.#isUp = true;
    this.#wire.restart();
  }
}

/** A clock that is ahead of another, and runs faster. */
function skewed(clock: Clock, skewMs: number, rate: number): Clock {
  return {
    now: () => clock.now() * rate + skewMs,
    after: (ms, callback) => clock.after(ms / rate, callback),
    turn: (callback) => clock.turn(callback),
    isVirtual: clock.isVirtual,
  };
}

function within(name: string, value: unknown, from: number, to: number): void {
  if (typeof value === "number" && value >= from && value <= to) return;
  throw outOfRange(ACTION, name, `a number from ${from} to ${to}`, value);
}
