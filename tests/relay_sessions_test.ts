import { assert, assertEquals, assertMatch } from "@std/assert";
import { bind, connect, type ConnectedSocket, serve } from "../mod.ts";
import { Link } from "../lib/testing/faults.ts";
import { type RelayOptions, startRelay } from "../lib/testing/mod.ts";
import { noCounts, Room, Way } from "../lib/testing/session.ts";
import { consoleErrors, LOOPBACK, pattern, turn } from "./helpers.ts";
import { assertAddsUp, route, texts, until } from "./relays.ts";

const HOUR_MS = 3_600_000;
// Nobody's address: `connect` refuses it, before anything is opened.
const NOBODY = "udp://0.0.0.0:9";

/** A relay to a server that answers each datagram with its sender's port and it. */
function portServer(options: Partial<RelayOptions> = {}) {
  const server = serve(LOOPBACK, (datagram) => {
    return `${datagram.from.port} ${datagram.text()}`;
  });
  const relay = startRelay({ listen: LOOPBACK, to: server.addr, ...options });
  return {
    relay,
    async [Symbol.asyncDispose]() {
      await relay.close();
      await server.shutdown();
    },
  };
}

let questions = 0;

/** The port from which a client comes to the server. */
async function port(client: ConnectedSocket): Promise<string> {
  const question = `${++questions}`;
  const reply = await client.request(question, {
    match: (datagram) => datagram.text().split(" ")[1] === question,
    // Again, as a slow machine may forget the client before the reply is there.
    timeoutMs: 200,
    retries: 100,
  });
  return reply.text().split(" ")[0];
}

Deno.test("a client that is silent is forgotten, and gets a new port when it comes back", async () => {
  await using way = portServer({ idleMs: 20 });
  await using client = await connect(way.relay.addr);
  const first = await port(client);
  await until(() => way.relay.stats.expired > 0);
  assertEquals(way.relay.stats.sessions, 0);
  const second = await port(client);
  assert(first !== second, `${first}, ${second}`);
});

Deno.test("a client is not forgotten while something of it is on the way", async () => {
  await using way = await route({
    idleMs: 10,
    delayMs: { min: 300, max: 300 },
  });
  await way.client.send("slow");
  await until(() => way.arrived.length === 1 || way.relay.stats.expired > 0);
  assertEquals(texts(way.arrived), ["slow"]);
  assertEquals(way.relay.stats.up.notSent, 0);
  await until(() => way.relay.stats.expired === 1);
});

Deno.test("at maxSessions further clients are refused and counted, the known are served", async () => {
  await using way = portServer({ maxSessions: 2 });
  await using a = await connect(way.relay.addr);
  await using b = await connect(way.relay.addr);
  await using c = await connect(way.relay.addr);
  const ports = [await port(a), await port(b)];
  await c.send("?");
  await until(() => way.relay.stats.refused === 1);
  assertEquals([await port(a), await port(b)], ports);
  assertEquals(way.relay.stats.sessions, 2);
});

Deno.test("a client that is forgotten makes room for another", async () => {
  await using way = portServer({ maxSessions: 1, idleMs: 20 });
  await using a = await connect(way.relay.addr);
  await using b = await connect(way.relay.addr);
  await port(a);
  await until(() => way.relay.stats.sessions === 0);
  await port(b);
});

Deno.test("close lets go of everything, also of what is held", async () => {
  const { relay, ...way } = await route({
    delayMs: { min: HOUR_MS, max: HOUR_MS },
  });
  for (let n = 0; n < 10; n++) await way.client.send(`${n}`);
  await until(() => relay.stats.up.inFlight === 10);
  await relay.close();
  const { inFlight, notSent } = relay.stats.up;
  assertEquals([inFlight, notSent, relay.stats.sessions], [0, 10, 0]);
  await using _ = bind(relay.addr);
  await relay.close();
  await way[Symbol.asyncDispose]();
});

Deno.test("close waits for a client whose server's name is being looked up", async () => {
  // Whether it has come by then or not, nothing is left behind.
  for (let turns = 0; turns < 10; turns++) {
    const relay = startRelay({ listen: LOOPBACK, to: "udp://localhost:9" });
    await using client = await connect(relay.addr);
    await client.send("?");
    for (let n = 0; n < turns; n++) await turn();
    await relay.close();
    assertEquals(relay.stats.sessions, 0);
  }
});

Deno.test("a client whose upstream socket cannot be opened is reported, and the relay goes on", async () => {
  const errors: Error[] = [];
  await using relay = startRelay({
    listen: LOOPBACK,
    to: NOBODY,
    onError: (error) => void errors.push(error as Error),
  });
  await using client = await connect(relay.addr);
  for (const n of [1, 2]) {
    await client.send("?");
    await until(() => relay.stats.refused === n);
  }
  assertEquals(errors.length, 2);
  assertMatch(errors[0].message, /0\.0\.0\.0 is the unspecified address/);
  assertEquals([relay.stats.sessions, relay.stats.up.received], [0, 0]);
});

Deno.test("an onError that throws does not end the relay", async () => {
  const calls = await consoleErrors(async () => {
    await using relay = startRelay({
      listen: LOOPBACK,
      to: NOBODY,
      onError: () => {
        throw new Error("oops\x1b[2J");
      },
    });
    await using client = await connect(relay.addr);
    for (const n of [1, 2]) {
      await client.send("?");
      await until(() => relay.stats.refused === n);
    }
  });
  assertEquals(calls, [["Error: oops\\x1b[2J"], ["Error: oops\\x1b[2J"]]);
});

Deno.test("without onError a run of the same error is printed once", async () => {
  const calls = await consoleErrors(async () => {
    await using relay = startRelay({ listen: LOOPBACK, to: NOBODY });
    await using client = await connect(relay.addr);
    for (let n = 0; n < 5; n++) await client.send("?");
    await until(() => relay.stats.refused === 5);
  });
  assertEquals(calls.length, 1);
});

/** One direction whose datagrams are held for an hour, or fail. */
function way(options: { room?: number; delayMs?: number; error?: Error }) {
  const { room = 1e9, delayMs = 0, error } = options;
  const counts = noCounts();
  const sent: Uint8Array[] = [];
  const errors: unknown[] = [];
  const way = new Way({
    link: new Link(1, { delayMs: { min: delayMs, max: delayMs } }),
    counts,
    room: new Room(room),
    send: (data) => {
      if (error !== undefined) return Promise.reject(error);
      sent.push(data);
      return Promise.resolve();
    },
    report: (error) => void errors.push(error),
  });
  return { way, counts, sent, errors };
}

Deno.test("a datagram that the system does not take is counted and reported", async () => {
  const error = new Error("Network is unreachable");
  const { way: failing, counts, errors } = way({ error });
  await failing.pass(pattern(10));
  assertEquals(counts, { ...noCounts(), received: 1, notSent: 1 });
  assertEquals(errors, [error]);
});

Deno.test("what is held has a limit in bytes, and empty datagrams count too", async () => {
  for (const size of [0, 1000]) {
    const { way: full, counts } = way({ room: 100_000, delayMs: HOUR_MS });
    for (let n = 0; n < 1000; n++) await full.pass(pattern(size));
    assert(counts.queueFull > 0, `${size} bytes: none dropped`);
    assert(counts.inFlight > 50, `${size} bytes: ${counts.inFlight} held`);
    assertAddsUp(counts);
    await full.close();
    assertEquals([counts.inFlight, counts.received], [0, 1000]);
  }
});

Deno.test("what is let go makes room again", async () => {
  const { way: held, counts, sent } = way({ room: 1000, delayMs: 1 });
  for (const round of [1, 2, 3]) {
    await held.pass(pattern(10));
    await held.pass(pattern(10));
    await until(() => sent.length === round);
    assertEquals(counts.queueFull, round);
  }
});

Deno.test("what is held keeps none of the memory around it alive", async () => {
  const { way: held, sent } = way({ delayMs: 1 });
  await held.pass(pattern(8000).subarray(100, 110));
  await until(() => sent.length === 1);
  assertEquals(sent[0], pattern(8000).slice(100, 110));
  assertEquals(sent[0].buffer.byteLength, 10);
});
