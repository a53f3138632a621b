import { copyAddr, type NetAddr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import { comparableHost } from "../address/host.ts";
import { kernelDropsOf } from "../carriers/kernel_drops.ts";
import { localHostFor, refuseMany } from "../carriers/peers.ts";
import { resolveHost } from "../carriers/resolve.ts";
import { outOfRange } from "../check.ts";
import { systemClock } from "../clock.ts";
import type { Datagram } from "../datagram.ts";
import { failure } from "../errors.ts";
import { bind } from "../open.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import { noCounts, SessionDirection } from "./direction.ts";
import {
  type CheckedFaults,
  checkFaults,
  type Faults,
  Link,
  seedOf,
} from "./faults.ts";
import { Fronts } from "./fronts.ts";
import type { Relay, RelayStats } from "./relay_types.ts";
import { Room } from "./room.ts";
import { Session } from "./session.ts";

// What may be held, in all directions of all sessions together.
const MAX_HELD_BYTES = 64 * 1024 * 1024;
// How often the relay looks for clients that have been silent for too long.
const EXPIRY_MS = 10_000;
const ACTION = "change faults";
const DIRECTIONS = ["up", "down"] as const;

/** What a relay needs, checked. */
export interface RelaySettings {
  readonly to: NetAddr;
  readonly seed: number;
  readonly idleMs: number;
  readonly maxSessions: number;
  readonly faults: { up: CheckedFaults; down: CheckedFaults };
  readonly report: (error: unknown) => void;
}

/** The relay that `startRelay` starts. */
export class FaultyRelay implements Relay {
  readonly #addr: NetAddr;
  readonly #settings: RelaySettings;
  readonly #fronts: Fronts;
  readonly #sessions = new Map<string, Session>();
  readonly #counts = { up: noCounts(), down: noCounts() };
  readonly #room = new Room(MAX_HELD_BYTES);
  readonly #expiry: ReturnType<typeof setInterval>;
  readonly #ending = new Set<Promise<void>>();
  #cancelTurn: () => void = () => {};
  #server: NetAddr | undefined;
  #opened = 0;
  #expired = 0;
  #refused = 0;
  #strangers = 0;
  // Of upstream sockets that are closed.
  #pastDrops = 0;

  constructor(front: DatagramSocket, settings: RelaySettings) {
    this.#addr = copyAddr(front.addr);
    this.#settings = settings;
    const { to, idleMs, maxSessions, report } = settings;
    this.#fronts = new Fronts(front, {
      port: to.port,
      limit: maxSessions,
      receive: (datagram, port) => this.#receive(datagram, port),
      report,
    });
    this.#expiry = setInterval(
      () => this.#expire(),
      Math.min(idleMs / 4, EXPIRY_MS),
    );
  }

  get addr(): NetAddr {
    return copyAddr(this.#addr);
  }

  get stats(): RelayStats {
    return {
      up: { ...this.#counts.up },
      down: { ...this.#counts.down },
      sessions: this.#sessions.size,
      expired: this.#expired,
      refused: this.#refused,
      strangers: this.#strangers,
    };
  }

  set(faults: Faults, direction?: "up" | "down"): void {
    if (direction !== undefined && !DIRECTIONS.includes(direction)) {
      throw outOfRange(ACTION, "direction", '"up" or "down"', direction);
    }
    const { faults: current } = this.#settings;
    for (const each of DIRECTIONS) {
      if (direction !== undefined && direction !== each) continue;
      const checked = current[each] = checkFaults(faults, current[each]);
      for (const session of this.#sessions.values()) session[each].set(checked);
    }
  }

  async kernelDrops(): Promise<number | undefined> {
    await Promise.all(this.#ending);
    const sessions = Array.from(this.#sessions.values(), ({ addr }) => addr);
    const addresses = [...this.#fronts.addresses, ...sessions];
    const [first, ...others] = await kernelDropsOf(addresses);
    if (first === undefined) return undefined;
    return sum([first, this.#pastDrops, ...others]);
  }

  async close(): Promise<void> {
    clearInterval(this.#expiry);
    this.#cancelTurn();
    // After this no session is opened any more.
    await this.#fronts.close();
    this.#end([...this.#sessions.keys()]);
    await Promise.all(this.#ending);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A datagram of a client, to that port of the server. */
  #receive(
    { data, from: client }: Datagram<NetAddr>,
    port: number,
  ): Promise<void> | void {
    const key = formatAddress(client);
    const session = this.#sessions.get(key);
    if (session !== undefined) return session.up.pass(data, port);
    // Only a session has learned of other ports.
    if (port === this.#settings.to.port) return this.#greet(key, client, data);
    this.#refused++;
  }

  /** Opens a session for the first datagram of a client. */
  async #greet(key: string, client: NetAddr, data: Uint8Array): Promise<void> {
    const isFull = this.#sessions.size >= this.#settings.maxSessions;
    const session = isFull ? undefined : await this.#open(client);
    if (session === undefined) {
      this.#refused++;
      return;
    }
    this.#sessions.set(key, session);
    await session.up.pass(data, this.#settings.to.port);
  }

  async #open(client: NetAddr): Promise<Session | undefined> {
    const { report } = this.#settings;
    try {
      const server = this.#server ??= await resolve(this.#settings.to);
      const { hostname } = server;
      const host = comparableHost(hostname);
      const local = localHostFor(hostname);
      const upstream = bind({ transport: "udp", hostname: local, port: 0 });
      const number = ++this.#opened;
      const down = this.#direction<DatagramSocket>(
        "down",
        number,
        (data, front) => front.send(data, client),
      );
      const up = this.#direction<number>(
        "up",
        number,
        (data, port) => upstream.send(data, { ...server, port }),
      );
      const receive = (
        { data, from }: Datagram<NetAddr>,
      ): Promise<void> | void => {
        if (comparableHost(from.hostname) !== host) {
          this.#strangers++;
          return;
        }
        const front = this.#fronts.at(from.port);
        if (front !== undefined) return down.pass(data, front);
        this.#refused++;
      };
      return new Session({ upstream, up, down, receive, report });
    } catch (error) {
      report(error);
      return undefined;
    }
  }

  #direction<Route>(
    direction: "up" | "down",
    session: number,
    send: (data: Uint8Array, route: Route) => Promise<void>,
  ): SessionDirection<Route> {
    const { seed, faults, report } = this.#settings;
    const linkSeed = seedOf(seed, `${direction} ${session}`);
    return new SessionDirection({
      link: new Link(linkSeed, faults[direction]),
      counts: this.#counts[direction],
      room: this.#room,
      send,
      report,
    });
  }

  /**
   * Ends what has been silent for too long, after the datagrams were read that
   * have arrived by now: a program that was suspended has not read any.
   */
  #expire(): void {
    const oldest = performance.now() - this.#settings.idleMs;
    this.#cancelTurn();
    this.#cancelTurn = systemClock.turn(() => this.#endSilent(oldest));
  }

  #endSilent(oldest: number): void {
    const silent = [...this.#sessions]
      .filter(([_, { lastUsed }]) => lastUsed <= oldest)
      .map(([client]) => client);
    this.#expired += silent.length;
    this.#end(silent);
    this.#fronts.expire(oldest);
  }

  /** Ends sessions, after reading what the system dropped at their sockets. */
  #end(clients: readonly string[]): void {
    const sessions = clients.flatMap((client) => {
      const session = this.#sessions.get(client);
      this.#sessions.delete(client);
      return session ?? [];
    });
    if (sessions.length === 0) return;
    const ending = (async () => {
      const drops = await kernelDropsOf(sessions.map(({ addr }) => addr));
      this.#pastDrops += sum(drops);
      await Promise.all(sessions.map((session) => session.close()));
    })().catch(this.#settings.report).finally(() => {
      this.#ending.delete(ending);
    });
    this.#ending.add(ending);
  }
}

/** Resolves the server's host; rejects addresses that stand for many peers. */
async function resolve(to: NetAddr): Promise<NetAddr> {
  try {
    const hostname = await resolveHost(to.hostname);
    refuseMany(hostname, to);
    return { ...to, hostname };
  } catch (error) {
    throw failure(`relay to ${formatAddress(to)}`, error, { remote: to });
  }
}

function sum(numbers: readonly (number | undefined)[]): number {
  return numbers.reduce<number>((total, n) => total + (n ?? 0), 0);
}
