import type { NetAddr, SchemeAddr, UnixAddr } from "../addr.ts";
import { formatAddress, toAddress, toDestination } from "../address/address.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import { InvalidAddressError } from "../errors.ts";
import { bind, connect } from "../open.ts";
import { checkFaults, type Faults, Link, seedOf } from "./faults.ts";
import { pump } from "../socket/pump.ts";
import { reporter } from "../warnings.ts";
import {
  type DirectionStats,
  noCounts,
  Room,
  Session,
  Way,
} from "./session.ts";

// What may be on the way, in all directions of all sessions together.
const MAX_HELD_BYTES = 64 * 1024 * 1024;
// How often clients are looked at that may have been silent for long.
const EXPIRY_MS = 10_000;

/** How {@linkcode startRelay} relays. */
export interface RelayOptions extends Faults {
  /** Where clients send to, as in `udp://127.0.0.1:7000`. Port 0 is any free one. */
  listen: string | NetAddr;
  /** Where it goes on to. */
  to: string | NetAddr;
  /** What all its chances follow from. @default {1} */
  seed?: number;
  /** After how long without a datagram a client is forgotten. @default {60000} */
  idleMs?: number;
  /** How many clients at a time; datagrams of more are dropped. @default {1024} */
  maxSessions?: number;
  /**
   * Called when the system fails: the upstream socket of a client cannot be
   * opened (its datagram is counted as `refused`), or a datagram cannot be sent
   * (`notSent`) or received. The relay goes on.
   * @default {prints it to the console, a run of the same once}
   */
  onError?: (error: unknown) => void;
}

/** What a relay has counted so far. */
export interface RelayStats {
  /** From clients to the server. */
  readonly up: Readonly<DirectionStats>;
  /** From the server to clients. */
  readonly down: Readonly<DirectionStats>;
  /** Clients that it knows now. */
  readonly sessions: number;
  /** Clients that were forgotten for silence. */
  readonly expired: number;
  /** Datagrams of clients for whom there was no room, or no socket. */
  readonly refused: number;
}

/** A relay that {@linkcode startRelay} started. */
export interface Relay extends AsyncDisposable {
  /** Where it listens. */
  readonly addr: NetAddr;
  /** What it has counted so far: a copy. */
  readonly stats: RelayStats;
  /**
   * Changes faults from now on, in both directions or in one; those that are
   * left out stay.
   *
   * @throws {RangeError} A fault is out of range.
   */
  set(faults: Faults, direction?: "up" | "down"): void;
  /**
   * How many datagrams of clients the system dropped before the relay could
   * read them; see `DatagramSocket.kernelDrops`.
   */
  kernelDrops(): Promise<number | undefined>;
  /** Stops: what is still held is not sent. */
  close(): Promise<void>;
}

/**
 * Relays datagrams on real sockets between clients and a server, and fails as
 * told: lost, doubled, reordered, corrupted, delayed, by the same decisions as
 * in the simulated network. Put it in front of a program in any language. Each
 * client gets an upstream port of its own, as behind a NAT, so that replies find
 * their way.
 *
 * @throws What `bind` throws.
 * @throws {InvalidAddressError} One of the addresses cannot be.
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
  const { listen, to, onError, ...others } = options;
  const { seed = 1, idleMs = 60_000, maxSessions = 1024, ...rest } = others;
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(
      `Cannot relay: seed must be a whole number: given ${seed}`,
    );
  }
  for (const [name, value] of Object.entries({ idleMs, maxSessions })) {
    if (value > 0) continue;
    throw new RangeError(
      `Cannot relay: ${name} must be above 0: given ${value}`,
    );
  }
  const local = udpOnly(toAddress(listen));
  const server = udpOnly(toDestination(to));
  if (formatAddress(local) === formatAddress(server)) {
    throw new InvalidAddressError(
      formatAddress(server),
      "a relay to itself would go round for ever; give the server's address",
    );
  }
  const faults = { up: checkFaults(rest), down: checkFaults(rest) };
  const report = reporter(onError);
  const settings = { to: server, seed, idleMs, maxSessions, faults, report };
  return new FaultyRelay(bind(local), settings);
}

interface Settings {
  to: NetAddr;
  seed: number;
  idleMs: number;
  maxSessions: number;
  faults: { up: Required<Faults>; down: Required<Faults> };
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
    for (const way of ["up", "down"] as const) {
      if (direction !== undefined && direction !== way) continue;
      current[way] = checkFaults(faults, current[way]);
      for (const session of this.#sessions.values()) session[way].set(faults);
    }
  }

  kernelDrops(): Promise<number | undefined> {
    return this.#front.kernelDrops();
  }

  async close(): Promise<void> {
    clearInterval(this.#expiry);
    await this.#front[Symbol.asyncDispose]();
    // Only then no session is opened any more.
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

  /** The first datagram of a client. */
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
      // A name is looked up once, for the first client.
      this.#to = upstream.remote;
      const number = ++this.#opened;
      return new Session(
        upstream,
        this.#way("up", number, (data) => upstream.send(data)),
        this.#way("down", number, (data) => this.#front.send(data, client)),
        this.#settings.report,
      );
    } catch (error) {
      this.#settings.report(error);
    }
  }

  #way(
    direction: "up" | "down",
    session: number,
    send: (data: Uint8Array) => Promise<void>,
  ): Way {
    const { seed, faults } = this.#settings;
    return new Way({
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

function udpOnly(address: SchemeAddr | UnixAddr): NetAddr {
  const isUdp = address.transport === "udp" && address.scheme === undefined;
  if (isUdp) return address;
  throw new InvalidAddressError(
    formatAddress(address),
    "a relay is for UDP, as udp://127.0.0.1:7000",
  );
}
