import { assert, assertEquals } from "@std/assert";
import {
  bind,
  type CarrierSource,
  connect,
  Datagram,
  type ReceivedRun,
  type SocketStats,
} from "../../../mod.ts";
import { Ledger } from "./ledger.ts";
import type { End } from "./ledger.ts";
import { Party } from "./party.ts";
import { ServerEnd } from "./server.ts";

const CLIENTS = 2;
// What has not ended by then hangs, in milliseconds of real time.
const HANGS_MS = 20_000;

/** Where a campaign takes place. */
export interface Place {
  readonly carrier: CarrierSource;
  /** Where the bound socket is. */
  readonly address: string;
  /** Whether the bound socket can send. */
  readonly answers: boolean;
  /** Whether everything arrives that was sent between open sockets. */
  readonly lossless: boolean;
}

/** What a callback of the program throws. */
export class Thrown extends Error {}

/** A bound socket, its clients, and a program that uses them badly. */
export class World {
  readonly ledger = new Ledger();
  readonly parties: Party[] = [];
  server: ServerEnd | undefined;
  readonly #place: Place;
  readonly #operations = new Map<string, Promise<void>>();
  readonly #sends = new Map<string, Promise<void>>();
  readonly #faults: unknown[] = [];
  #over = new AbortController();

  constructor(place: Place) {
    this.#place = place;
  }

  /** Aborts when the program gives up what it does. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  async open(): Promise<void> {
    const { carrier, address, answers } = this.#place;
    const socket = bind(address, { carrier });
    const bound = new Party("bound", socket, true);
    this.parties.push(bound);
    await socket.opened;
    for (let n = 0; n < CLIENTS; n++) {
      const client = await connect(socket.addr, { carrier });
      const party = new Party(`client ${n}`, client, answers);
      this.parties.push(party);
      party.peers.push({ party: bound, address: { ...socket.addr } });
      for (let tries = 0; tries < 9 && bound.peers.length <= n; tries++) {
        const hello = this.ledger.message(party, bound);
        await client.send(hello);
        const datagram = await socket.receive({ timeoutMs: 1000 })
          .catch(() => undefined);
        if (datagram === undefined) continue;
        bound.peers.push({ party, address: { ...datagram.from } });
        this.take(bound, datagram);
      }
    }
    if (answers) await this.#serve();
    else bound.peers.length = 0;
  }

  /** Opens a server, and a client of it. */
  async #serve(): Promise<void> {
    const { carrier, address } = this.#place;
    const end = new ServerEnd(this, address, carrier);
    const to = { ...end.server.addr };
    const client = await connect(to, { carrier });
    const party = new Party("client of the server", client, true);
    party.peers.push({ party: end, address: to });
    end.client = party;
    this.server = end;
    this.parties.push(party);
  }

  /** Notes a datagram that the program got, and changes it. */
  take(party: End, datagram: Datagram | undefined): void {
    if (datagram === undefined) return;
    this.attempt(() => this.ledger.arrived(party, datagram.text()));
    datagram.data.fill(0);
    Reflect.set(datagram.from, "port", 9);
    Reflect.set(datagram.from, "hostname", "changed");
  }

  /** Notes a run that the program got, and changes it. */
  takeRun(party: End, run: ReceivedRun): void {
    for (const bytes of run) this.take(party, new Datagram(bytes, run.from));
    this.attempt(() => assert(!run.truncated && run.count > 0));
  }

  /** Notes an operation of the program, which settles at the end at the latest. */
  track(name: string, operation: Promise<unknown>): void {
    this.#note(this.#operations, name, operation);
  }

  /** Notes a send, which settles if its peer receives. */
  trackSend(name: string, operation: Promise<unknown>): void {
    this.#note(this.#sends, name, operation);
  }

  /** Runs a step of the program, whose fault is reported at the end. */
  attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#faults.push(error);
    }
  }

  close(party: Party, isGentle: boolean): void {
    party.isOpen = false;
    const { socket } = party;
    this.track(
      `close ${party.name}`,
      isGentle
        ? socket[Symbol.asyncDispose]()
        : Promise.try(() => socket.close()),
    );
  }

  shutDown(): void {
    const { server } = this;
    if (server === undefined) return;
    server.isOpen = false;
    this.track("shutdown", server.server.shutdown());
  }

  /** Gives up everything that waits with a signal. */
  giveUp(): void {
    this.#over.abort();
    this.#over = new AbortController();
  }

  /** Receives the rest, closes everything, and checks that nothing is missing. */
  async finish(): Promise<void> {
    this.giveUp();
    for (const party of this.parties) {
      if (party.canReceive) this.track("the rest", this.#readAll(party));
    }
    await this.#settle(this.#sends);
    if (this.#place.lossless) {
      await this.#within("messages", async () => {
        while (this.ledger.missing.length > 0) await turn();
      }, () => this.ledger.missing);
    }
    for (const party of this.parties) {
      this.close(party, this.parties.length > 1);
    }
    this.shutDown();
    await this.#settle(this.#operations);
    await Promise.all(
      this.parties.map(({ socket }) => socket[Symbol.asyncDispose]()),
    );
    // What a carrier has got settles although the program gave up on it.
    await this.#within("sends", async () => {
      while (this.parties.some(({ socket }) => socket.stats.sending > 0)) {
        await turn();
      }
    }, () => []);
    for (const party of this.parties) checkSums(party, party.socket.stats);
    const { server } = this;
    if (server !== undefined) checkSums(server, server.server.stats);
    if (this.#faults.length > 0) throw this.#faults[0];
  }

  async #readAll(party: Party): Promise<void> {
    for await (const datagram of party.socket) this.take(party, datagram);
  }

  #note(
    list: Map<string, Promise<void>>,
    name: string,
    operation: Promise<unknown>,
  ): void {
    const settled = operation.then(() => {}, (error) => {
      if (!isExpected(error)) this.#faults.push(error);
    });
    list.set(`${name} (${list.size})`, settled);
  }

  async #settle(operations: Map<string, Promise<void>>): Promise<void> {
    const pending = new Set(operations.keys());
    const all = [...operations].map(([name, operation]) =>
      operation.then(() => pending.delete(name))
    );
    await this.#within(
      "operations",
      () => Promise.all(all),
      () => [...pending],
    );
  }

  async #within(
    what: string,
    run: () => Promise<unknown>,
    pending: () => string[],
  ): Promise<void> {
    const hangs = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => hangs.reject(new Error(`${what} that hang: ${pending()}`)),
      HANGS_MS,
    );
    await Promise.race([run(), hangs.promise]).finally(() =>
      clearTimeout(timer)
    );
  }
}

/** A turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function checkSums({ name, calls, received }: End, stats: SocketStats): void {
  assertEquals(stats.received, received, `received by ${name}`);
  assertEquals(stats.waiting, 0, name);
  assertEquals(stats.sent + stats.sendFailed, calls, `sent by ${name}`);
  assertEquals(stats.sending, 0, name);
  for (const count of Object.values(stats.dropped)) assert(count >= 0, name);
}

/** Whether it is what a callback threw, the reason of a signal, or one clear line. */
function isExpected(error: unknown): boolean {
  if (error instanceof Thrown) return true;
  if (error instanceof DOMException) return error.name === "AbortError";
  return error instanceof Error && error.message.startsWith("Cannot ") &&
    !error.message.includes("\n");
}
