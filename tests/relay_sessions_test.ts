import { assert, assertEquals, assertMatch } from "@std/assert";
import { bind, connect, type ConnectedSocket, serve } from "../mod.ts";
import { type RelayOptions, startRelay } from "../lib/testing/mod.ts";
import { consoleErrors, LOOPBACK, turn } from "./support/helpers.ts";
import { route, texts, until } from "./support/relays.ts";

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

Deno.test("close lets go of every port", async () => {
  const way = portServer();
  await using a = await connect(way.relay.addr);
  await using b = await connect(way.relay.addr);
  const ports = [await port(a), await port(b), way.relay.addr.port];
  await way.relay.close();
  for (const port of ports) bind(`127.0.0.1:${port}`).close();
  assertEquals(way.relay.stats.sessions, 0);
  await way.relay.close();
  await way[Symbol.asyncDispose]();
});

Deno.test("close forgets what is held, and counts it", async () => {
  const delayMs = { min: HOUR_MS, max: HOUR_MS };
  await using way = await route({ delayMs });
  for (let n = 0; n < 10; n++) await way.client.send(`${n}`);
  await until(() => way.relay.stats.up.inFlight === 10);
  await way.relay.close();
  const { inFlight, notSent } = way.relay.stats.up;
  assertEquals([inFlight, notSent], [0, 10]);
});

Deno.test("close waits for a client whose server's name is being looked up", async () => {
  // At each moment, from before it has come until after its name was found.
  for (let turns = 0; turns < 100; turns++) {
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
  assertEquals(calls, [["Error: oops\\x1b[2J"]]);
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
