import { copyAddr, type NetAddr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import { comparableHost } from "../address/host.ts";
import { kernelDropsOf } from "../carriers/kernel_drops.ts";
import { localHostFor, refuseMany } from "../carriers/peers.ts";
import { resolveHost } from "../carriers/resolve.ts";
import type { CarrierSource } from "../carrier.ts";
import { outOfRange } from "../check.ts";
import { systemClock } from "../clock.ts";
import { failure } from "../errors.ts";
import { bind } from "../open.ts";
import { clearInterval, performance, setInterval } from "../platform.ts";
import type { ReceivedRun } from "../run.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import { type Ask, type SendRun, SessionDirection } from "./direction.ts";
import { noCounts } from "./direction_stats.ts";
import { type CheckedFaults, checkFaults, type Faults } from "./faults.ts";
import { type Front, Fronts } from "./fronts.ts";
import { Link, seedOf } from "./link.ts";
import type { Relay, RelayOptions, RelayStats } from "./relay_types.ts";
import { Room } from "./room.ts";
import { type Rule, Rules } from "./rules.ts";
import { Session } from "./session.ts";

// What may be held, in all directions of all sessions together.
const MAX_HELD_BYTES = 64 * 1024 * 1024;
// How often the relay looks for clients that have been silent for too long.
const EXPIRY_MS = 10_000;
const DIRECTIONS = ["up", "down"] as const;

/** What a relay needs, checked. */
export interface RelaySettings {
  readonly to: NetAddr;
  readonly carrier: CarrierSource | undefined;
  readonly seed: number;
  readonly idleMs: number;
  readonly maxSessions: number;
  readonly faults: { up: CheckedFaults; down: CheckedFaults };
  readonly report: (error: unknown) => void;
  readonly onFate: RelayOptions["onFate"];
}

/** The relay that `startRelay` starts. */
export class FaultyRelay implements Relay {
  readonly #addr: NetAddr;
  readonly #settings: RelaySettings;
  readonly #fronts: Fronts;
  readonly #sessions = new Map<string, Session>();
  readonly #counts = { up: noCounts(), down: noCounts() };
  readonly #room = new Room(MAX_HELD_BYTES);
  readonly #rules = new Rules<"up" | "down">();
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
    const { to, carrier, idleMs, maxSessions, report } = settings;
    this.#fronts = new Fronts(front, {
      port: to.port,
      carrier,
      limit: maxSessions,
      receive: (run, port) => this.#receive(run, port),
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
    requireDirection("change faults", direction);
    const { faults: current } = this.#settings;
    for (const each of DIRECTIONS) {
      if (direction !== undefined && direction !== each) continue;
      const checked = current[each] = checkFaults(faults, current[each]);
      for (const session of this.#sessions.values()) session[each].use(checked);
    }
  }

  rule(rule: Rule, direction?: "up" | "down"): Disposable {
    requireDirection("add a rule", direction);
    return this.#rules.add(
      rule,
      (way) => direction === undefined || direction === way,
    );
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

  /** Datagrams of a client, to that port of the server. */
  #receive(run: ReceivedRun<NetAddr>, port: number): Promise<void> | void {
    const key = formatAddress(run.from);
    const session = this.#sessions.get(key);
    if (session !== undefined) return session.up.pass(run, port);
    // Only a session has learned of other ports.
    if (port === this.#settings.to.port) return this.#greet(key, run);
    this.#refused += run.count;
  }

  /** Opens a session for the first datagrams of a client. */
  async #greet(key: string, run: ReceivedRun<NetAddr>): Promise<void> {
    const isFull = this.#sessions.size >= this.#settings.maxSessions;
    const session = isFull ? undefined : await this.#open(run.from);
    if (session === undefined) {
      this.#refused += run.count;
      return;
    }
    this.#sessions.set(key, session);
    await session.up.pass(run, this.#settings.to.port);
  }

  async #open(client: NetAddr): Promise<Session | undefined> {
    const { carrier, report } = this.#settings;
    try {
      const server = this.#server ??= await resolve(this.#settings.to);
      const { hostname } = server;
      const host = comparableHost(hostname);
      const local = localHostFor(hostname);
      const place = { transport: "udp", hostname: local, port: 0 } as const;
      const upstream = bind(place, { carrier });
      const number = ++this.#opened;
      const down = this.#direction<Front>(
        "down",
        number,
        (data, { socket }, size) => sendTo(socket, data, size, client),
        ({ port }) => ({ from: { ...server, port }, to: client }),
      );
      const up = this.#direction<number>(
        "up",
        number,
        (data, port, size) => sendTo(upstream, data, size, { ...server, port }),
        (port) => ({ from: client, to: { ...server, port } }),
      );
      const receive = (run: ReceivedRun<NetAddr>): Promise<void> | void => {
        const { hostname, port } = run.from;
        if (comparableHost(hostname) !== host) {
          this.#strangers += run.count;
          return;
        }
        const front = this.#fronts.at(port);
        if (front !== undefined) return down.pass(run, front);
        this.#refused += run.count;
      };
      return new Session({ upstream, up, down, receive, report });
    } catch (error) {
      report(error);
      return undefined;
    }
  }

  /** One direction of a session, and where its datagrams come from and go to. */
  #direction<Route>(
    way: "up" | "down",
    session: number,
    send: SendRun<Route>,
    ends: (route: Route) => { from: NetAddr; to: NetAddr },
  ): SessionDirection<Route> {
    const { seed, faults, report, onFate } = this.#settings;
    const link = new Link(seedOf(seed, `${way} ${session}`));
    link.use(faults[way]);
    const rules = this.#rules;
    const ask: Ask<Route> = (data, route) =>
      rules.ask(way, { data, ...ends(route) });
    return new SessionDirection({
      link,
      counts: this.#counts[way],
      room: this.#room,
      send,
      report,
      observe: onFate &&
        ((fate, route) => onFate({ ...fate, direction: way, ...ends(route) })),
      ask: () => rules.isEmpty ? undefined : ask,
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

/** Sends datagrams of that size. A single one costs less by itself. */
function sendTo(
  socket: DatagramSocket,
  data: Uint8Array,
  size: number,
  to: NetAddr,
): Promise<unknown> {
  return data.length > size
    ? socket.sendRun(data, size, to)
    : socket.send(data, to);
}

function requireDirection(action: string, direction: unknown): void {
  if (direction === undefined) return;
  if (direction === "up" || direction === "down") return;
  throw outOfRange(action, "direction", '"up" or "down"', direction);
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
