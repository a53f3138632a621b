import type { Addr, NetAddr } from "../addr.ts";
import {
  formatAddress,
  requireScheme,
  toAddress,
  toDestination,
} from "../address/address.ts";
import { outOfRange, wholeNumber } from "../check.ts";
import { InvalidAddressError, type OperationFields } from "../errors.ts";
import { bind, connect } from "../open.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import { pump } from "../socket/pump.ts";
import { reporter } from "../warnings.ts";
import {
  type CheckedFaults,
  checkFaults,
  checkSeed,
  type Faults,
  Link,
  seedOf,
} from "./faults.ts";
import { Room } from "./room.ts";
import {
  type DirectionStats,
  noCounts,
  Session,
  SessionDirection,
} from "./session.ts";

// What may be held, in all directions of all sessions together.
const MAX_HELD_BYTES = 64 * 1024 * 1024;
// How often the relay looks for clients that have been silent for too long.
const EXPIRY_MS = 10_000;
const ACTION = "relay";

/** How {@linkcode startRelay} relays. */
export interface RelayOptions extends Faults {
  /**
   * The address that clients send to, as `udp://127.0.0.1:7000`. Port 0 is any
   * free one.
   */
  listen: string | NetAddr;
  /** The server's address. A name is looked up once. */
  to: string | NetAddr;
  /** Seed of the random generators; the same seed decides the same. @default {1} */
  seed?: number | undefined;
  /**
   * After how many milliseconds without a datagram a client is forgotten.
   * @default {60000}
   */
  idleMs?: number | undefined;
  /**
   * How many clients there may be at a time; datagrams of others are dropped.
   * @default {1024}
   */
  maxSessions?: number | undefined;
  /**
   * Called if the system fails: if the upstream socket of a client cannot be
   * opened (its datagram is counted as `refused`), or a datagram cannot be sent
   * (`notSent`) or received. The relay goes on.
   * @default {prints each kind of error once to standard error}
   */
  onError?: ((error: unknown) => void) | undefined;
}

/** What a relay has counted so far. */
export interface RelayStats {
  /** From clients to the server. */
  readonly up: Readonly<DirectionStats>;
  /** From the server to clients. */
  readonly down: Readonly<DirectionStats>;
  /** How many clients there are now. */
  readonly sessions: number;
  /** How many clients were forgotten because they were silent. */
  readonly expired: number;
  /** Datagrams of clients that could get no session. */
  readonly refused: number;
}

/** A relay that {@linkcode startRelay} started. */
export interface Relay extends AsyncDisposable {
  /** The address that clients send to. */
  readonly addr: NetAddr;
  /** What it has counted so far: a copy. */
  readonly stats: RelayStats;
  /**
   * Changes faults from now on, in both directions or in one; those that are not
   * given stay.
   *
   * @throws {RangeError} A fault is out of range.
   */
  set(faults: Faults, direction?: "up" | "down"): void;
  /**
   * Returns how many datagrams of clients the system dropped before the relay
   * could read them; see `DatagramSocket.kernelDrops`.
   */
  kernelDrops(): Promise<number | undefined>;
  /** Stops the relay. Datagrams that it holds are not sent. */
  close(): Promise<void>;
}

/**
 * Starts a relay on real sockets between clients and a server, for programs in
 * any language: it loses, duplicates, reorders, corrupts and delays datagrams by
 * the same decisions as the simulated network. Each client gets an upstream port
 * of its own, as behind a NAT, so that replies find their way back.
 *
 * @throws What `bind` throws.
 * @throws {InvalidAddressError} `listen` or `to` is invalid, or not UDP.
 * @throws {RangeError} An option is out of range.
 *
 * @example
 * ```ts
 * import { connect, serve } from "@pli/datagram";
 * import { startRelay } from "@pli/datagram/testing";
 *
 * await using server = serve("udp://127.0.0.1:0", ({ data }) => data);
 * await using relay = startRelay({ listen: "udp://127.0.0.1:0", to: server.addr, loss: 0.5 });
 * await using client = await connect(relay.addr);
 * const reply = await client.request("ping", { timeoutMs: 20, retries: 99 });
 * console.log(reply.text(), relay.stats.up.lost + relay.stats.down.lost);
 * ```
 */
export function startRelay(options: RelayOptions): Relay {
  const {
    listen,
    to,
    seed = 1,
    idleMs = 60_000,
    maxSessions = 1024,
    onError,
    ...faults
  } = options;
  checkSeed(seed);
  if (!(idleMs > 0)) {
    throw outOfRange(ACTION, "idleMs", "a number above 0", idleMs);
  }
  wholeNumber(ACTION, "maxSessions", maxSessions, 1);
  const checked = checkFaults(faults);
  const local = udpOnly(listen, toAddress);
  const server = udpOnly(to, toDestination);
  if (formatAddress(local) === formatAddress(server)) {
    throw new InvalidAddressError(
      formatAddress(server),
      "a relay to itself would never end; give the server's address",
    );
  }
  return new FaultyRelay(bind(local), {
    to: server,
    seed,
    idleMs,
    maxSessions,
    faults: { up: checked, down: checked },
    report: reporter(onError),
  });
}

interface Settings {
  to: NetAddr;
  seed: number;
  idleMs: number;
  maxSessions: number;
  faults: { up: CheckedFaults; down: CheckedFaults };
  report: (error: unknown) => void;
}

class FaultyRelay implements Relay {
  readonly addr: NetAddr;
  readonly #front: DatagramSocket;
  readonly #settings: Settings;
  readonly #sessions = new Map<string, Session>();
  readonly #counts = { up: noCounts(), down: noCounts() };
  readonly #room = new Room(MAX_HELD_BYTES);
  readonly #running: Promise<void>;
  readonly #expiry: ReturnType<typeof setInterval>;
  #ending: Promise<unknown> = Promise.resolve();
  #to: NetAddr;
  #opened = 0;
  #expired = 0;
  #refused = 0;

  constructor(front: DatagramSocket, settings: Settings) {
    this.#front = front;
    this.addr = front.addr;
    this.#settings = settings;
    this.#to = settings.to;
    this.#running = pump(
      front[Symbol.asyncIterator](),
      front.clock,
      ({ data, from }) => this.#relay(data, from),
      this.#settings.report,
    );
    this.#expiry = setInterval(
      () => this.#expire(),
      Math.min(settings.idleMs / 4, EXPIRY_MS),
    );
  }

  get stats(): RelayStats {
    return {
      up: { ...this.#counts.up },
      down: { ...this.#counts.down },
      sessions: this.#sessions.size,
      expired: this.#expired,
      refused: this.#refused,
    };
  }

  set(faults: Faults, direction?: "up" | "down"): void {
    const { faults: current } = this.#settings;
    for (const each of ["up", "down"] as const) {
      if (direction !== undefined && direction !== each) continue;
      current[each] = checkFaults(faults, current[each]);
      for (const session of this.#sessions.values()) session[each].set(faults);
    }
  }

  kernelDrops(): Promise<number | undefined> {
    return this.#front.kernelDrops();
  }

  async close(): Promise<void> {
    clearInterval(this.#expiry);
    await this.#front[Symbol.asyncDispose]();
    // After this no session is opened any more.
    await this.#running;
    for (const client of this.#sessions.keys()) this.#end(client);
    await this.#ending;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #relay(data: Uint8Array, client: NetAddr): Promise<void> {
    const key = formatAddress(client);
    const known = this.#sessions.get(key);
    if (known !== undefined) return known.up.pass(data);
    return this.#greet(key, client, data);
  }

  /** Opens a session for the first datagram of a client. */
  async #greet(
    key: string,
    client: NetAddr,
    data: Uint8Array,
  ): Promise<void> {
    const isFull = this.#sessions.size >= this.#settings.maxSessions;
    const session = isFull ? undefined : await this.#open(client);
    if (session === undefined) {
      this.#refused++;
      return;
    }
    this.#sessions.set(key, session);
    await session.up.pass(data);
  }

  async #open(client: NetAddr): Promise<Session | undefined> {
    try {
      const upstream = await connect(this.#to);
      // A name is looked up for the first client only.
      this.#to = upstream.remote;
      const number = ++this.#opened;
      return new Session(
        upstream,
        this.#direction("up", number, (data) => upstream.send(data)),
        this.#direction(
          "down",
          number,
          (data) => this.#front.send(data, client),
        ),
        this.#settings.report,
      );
    } catch (error) {
      this.#settings.report(error);
      return undefined;
    }
  }

  #direction(
    direction: "up" | "down",
    session: number,
    send: (data: Uint8Array) => Promise<void>,
  ): SessionDirection {
    const { seed, faults } = this.#settings;
    return new SessionDirection({
      link: new Link(
        seedOf(seed, `${direction} ${session}`),
        faults[direction],
      ),
      counts: this.#counts[direction],
      room: this.#room,
      send,
      report: this.#settings.report,
    });
  }

  #expire(): void {
    const oldest = performance.now() - this.#settings.idleMs;
    for (const [client, session] of this.#sessions) {
      if (session.lastUsed > oldest) continue;
      this.#expired++;
      this.#end(client);
    }
  }

  #end(client: string): void {
    const session = this.#sessions.get(client);
    this.#sessions.delete(client);
    this.#ending = Promise.all([
      this.#ending,
      session?.close().catch(this.#settings.report),
    ]);
  }
}

/** Checks an address with a function, and that it is a UDP address. */
function udpOnly(
  address: string | NetAddr,
  check: (address: string | NetAddr, fields: OperationFields) => Addr,
): NetAddr {
  const fields = { operation: ACTION };
  const checked = check(address, fields);
  requireScheme(checked, ["udp"], "a relay", fields);
  return checked as NetAddr;
}
