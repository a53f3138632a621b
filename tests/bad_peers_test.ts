import { assert, assertEquals } from "@std/assert";
import {
  bind,
  type CarrierSource,
  connect,
  type ConnectedSocket,
  serve,
  type SocketStats,
} from "../mod.ts";
import { quic } from "../lib/carriers/quic.ts";
import { tcp } from "../lib/carriers/tcp.ts";
import { tls } from "../lib/carriers/tls.ts";
import { isPending, SOON, turn, until } from "./support/helpers.ts";
import { cert, key, rawConnection } from "./support/quics.ts";

const MESSAGE = new Uint8Array(10_000).fill(0x61);
const ROUND_TRIPS = 200;
const trusted = { cert, key, caCerts: [cert] };

/**
 * Carriers whose peers are connected, and whose messages are not lost. Deno closes
 * a TLS connection only when what was written is flushed, so the server waits for
 * a deaf client that has left, for `sendMs` at most.
 */
const CARRIERS: [string, string, (limit?: Limit) => CarrierSource][] = [
  ["tcp", "tcp://127.0.0.1:0", (limit) => tcp(limit)],
  [
    "tls",
    "tls://127.0.0.1:0",
    (limit) => tls({ ...trusted, sendMs: 2000, ...limit }),
  ],
  [
    "quic",
    "quic://127.0.0.1:0",
    (limit) => quic({ ...trusted, reliable: true, ...limit }),
  ],
];

/** How long a peer may take nothing: over TCP and TLS, and over QUIC. */
interface Limit {
  sendMs?: number;
  idleMs?: number;
}

/** An echo server of one kind. */
interface Echo extends AsyncDisposable {
  readonly addr: Deno.NetAddr;
  readonly stats: SocketStats;
}

const SERVERS: [string, (address: string, carrier: CarrierSource) => Echo][] = [
  [
    "serve",
    (address, carrier) =>
      serve(address, ({ data }) => data, { carrier, onError: () => {} }),
  ],
  ["a loop", (address, carrier) => {
    const socket = bind(address, { carrier });
    const echoing = (async () => {
      for await (const { data, from } of socket) {
        await socket.send(data, from).catch(() => {});
      }
    })();
    return {
      addr: socket.addr,
      get stats() {
        return socket.stats;
      },
      async [Symbol.asyncDispose]() {
        await socket[Symbol.asyncDispose]();
        await echoing;
      },
    };
  }],
];

/** A client that does what others must not suffer from. */
class BadPeer {
  sent = 0;
  readonly #client: ConnectedSocket;
  readonly #done: Promise<void>;
  #isStopped = false;

  constructor(client: ConnectedSocket, isSlow: boolean) {
    this.#client = client;
    this.#done = isSlow ? this.#readSlowly() : this.#flood();
  }

  get received(): number {
    const { received, dropped } = this.#client.stats;
    return received + dropped["closed"]!;
  }

  /** Leaves without a goodbye. */
  async leave(): Promise<void> {
    this.#isStopped = true;
    this.#client.close();
    await this.#done;
  }

  /** Sends and never receives. */
  async #flood(): Promise<void> {
    try {
      for (; !this.#isStopped; this.sent++) await this.#client.send(MESSAGE);
    } catch {
      // The connection has ended.
    }
  }

  /** Asks for much, and reads a message now and then. */
  async #readSlowly(): Promise<void> {
    const asking = this.#flood();
    try {
      while (!this.#isStopped) {
        await this.#client.receive();
        await new Promise((go) => setTimeout(go, 5));
      }
    } catch {
      // The connection has ended.
    }
    await asking;
  }
}

async function roundTrips(client: ConnectedSocket): Promise<void> {
  for (let n = 0; n < ROUND_TRIPS; n++) {
    await client.send(`${n}`);
    assertEquals((await client.receive(SOON)).text(), `${n}`);
  }
}

/**
 * Waits until the server takes no more from bad peers: until it answers a good one
 * many times in between, whatever that takes on a busy machine.
 */
async function areStuck(
  good: ConnectedSocket,
  peers: readonly BadPeer[],
): Promise<void> {
  let [before, still] = [-1, 0];
  await until(async () => {
    await good.request("?", SOON);
    const sent = peers.reduce((sum, peer) => sum + peer.sent, 0);
    still = sent === before ? still + 1 : 0;
    before = sent;
    return still === 50;
  });
}

for (const [name, address, source] of CARRIERS) {
  for (const [kind, echo] of SERVERS) {
    Deno.test(`${name}, ${kind}: deaf, flooding, slow and leaving peers delay no other`, async () => {
      const carrier = source();
      const server = echo(address, source());
      await using good = await connect(server.addr, { carrier });
      const open = async (isSlow: boolean) =>
        new BadPeer(await connect(server.addr, { carrier }), isSlow);
      const deaf = await Promise.all([open(false), open(false), open(false)]);
      const slow = await open(true);
      await roundTrips(good);
      await areStuck(good, deaf);
      // They have paid themselves: the server holds little of what they sent.
      const held = deaf.map(({ sent }) => sent * MESSAGE.length);
      assert(held.every((size) => size < 64 * 1024 * 1024), `${held} bytes`);
      await roundTrips(good);
      for (let n = 0; n < 20; n++) {
        const leaving = await open(false);
        if (n % 2 === 0) await turn();
        await Promise.all([leaving.leave(), good.request("?", SOON)]);
      }
      const [first, ...others] = deaf;
      await first.leave();
      await roundTrips(good);
      for (const peer of [...others, slow]) await peer.leave();
      await roundTrips(good);

      await server[Symbol.asyncDispose]();
      const { received, sent, sendFailed, dropped } = server.stats;
      assertEquals(received, sent + sendFailed);
      const undelivered = dropped["unconfirmed"] ?? dropped["unsent"];
      assert(undelivered! > 0 && undelivered! <= sent, `${undelivered}`);
    });
  }

  Deno.test(`${name}: a peer that takes nothing is not read from, and its sends wait`, async () => {
    const carrier = source();
    await using server = serve(address, ({ data }) => data, {
      carrier: source(),
      onError: () => {},
    });
    await using good = await connect(server.addr, { carrier });
    const client = await connect(server.addr, { carrier });
    const deaf = new BadPeer(client, false);
    await areStuck(good, [deaf]);
    const { received } = server.stats;
    assert(await isPending(client.send("x", { timeoutMs: 60_000 })));
    await good.request("?", SOON);
    assertEquals(server.stats.received, received + 1);
    assertEquals(server.stats.sendFailed, 0);
    // It reads again, and gets everything.
    const waiting = deaf.sent;
    for (let n = 0; n < waiting; n++) {
      assertEquals((await client.receive(SOON)).data.length, MESSAGE.length);
    }
    await deaf.leave();
  });

  Deno.test(`${name}: a socket that ends sends what waits for its peers`, async () => {
    const carrier = source();
    const server = bind(address, { carrier: source() });
    await using client = await connect(server.addr, { carrier });
    await client.send("x");
    const { from } = await server.receive(SOON);
    let sent = 0;
    try {
      for (; sent < 10_000; sent++) await server.send(MESSAGE, from);
    } catch (error) {
      assert(error instanceof Deno.errors.Busy, String(error));
    }
    const ending = server[Symbol.asyncDispose]();
    for (let n = 0; n < sent; n++) {
      assertEquals((await client.receive(SOON)).data.length, MESSAGE.length);
    }
    await ending;
    const { dropped } = server.stats;
    assertEquals(dropped["unconfirmed"] ?? dropped["unsent"], 0);
  });

  Deno.test(`${name}: a server ends, and counts everything, while bad peers are at work`, async () => {
    const carrier = source();
    const limit = name === "quic" ? { idleMs: 2000 } : { sendMs: 300 };
    const server = serve(address, ({ data }) => data, {
      carrier: source(limit),
      answerLimit: Infinity,
      onError: () => {},
    });
    const { hostname, port } = server.addr;
    using _halfOpen = name === "quic"
      ? await rawConnection(port)
      : await Deno.connect({ hostname, port });
    const open = async (isSlow: boolean) =>
      new BadPeer(await connect(server.addr, { carrier }), isSlow);
    const peers = [await open(false), await open(true), await open(false)];
    const good = await connect(server.addr, { carrier });
    await areStuck(good, [peers[0]!, peers[2]!]);
    good.close();
    await server.shutdown();
    const { received, sent, sendFailed, waiting } = server.stats;
    assertEquals([received, waiting], [sent + sendFailed, 0]);
    for (const peer of peers) await peer.leave();
  });

  Deno.test(`${name}: timers run while messages for a deaf peer are sent and rejected`, async () => {
    const carrier = source();
    await using server = bind(address, { carrier: source() });
    const client = await connect(server.addr, { carrier });
    await client.send("x");
    const { from } = await server.receive(SOON);
    let due = false;
    const timer = setTimeout(() => due = true);
    while (!due) await server.send(MESSAGE, from).catch(() => {});
    clearTimeout(timer);
    client.close();
  });

  Deno.test(`${name}: addresses may be changed by the program, without effect`, async () => {
    const carrier = source();
    await using server = bind(address, { carrier: source() });
    await using client = await connect(server.addr, { carrier });
    const { port } = client.addr;
    for (let n = 0; n < 3; n++) {
      await client.send(`${n}`);
      const { from } = await server.receive(SOON);
      assertEquals(from.port, port);
      from.port = 69;
      from.hostname = "elsewhere";
    }
    const to = { ...client.addr };
    const sending = server.send("reply", to);
    to.port = 69;
    await sending;
    const reply = await client.receive(SOON);
    assertEquals(reply.from.port, server.addr.port);
    reply.from.port = 69;
    await server.send("again", { ...client.addr, port });
    assertEquals((await client.receive(SOON)).from.port, server.addr.port);
  });
}
