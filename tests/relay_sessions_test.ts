import { assert, assertEquals, assertMatch } from "@std/assert";
import { bind, connect, type ConnectedSocket, serve } from "../mod.ts";
import { type RelayOptions, startRelay } from "../lib/testing/mod.ts";
import { consoleErrors, LOOPBACK, turn, until } from "./support/helpers.ts";
import { route, texts } from "./support/relays.ts";

const HOUR_MS = 3_600_000;
// `connect` rejects this address before anything is opened.
const NOBODY = "udp://0.0.0.0:9";

/** A relay to a server that answers with the sender's port and the datagram. */
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

/** The port from which the server receives what a client sends. */
async function port(client: ConnectedSocket): Promise<string> {
  const question = `${++questions}`;
  const reply = await client.request(question, {
    match: (datagram) => datagram.text().split(" ")[1] === question,
    // Again, as a slow machine may forget the client before the reply is there.
    timeoutMs: 200,
    retries: 100,
  });
  const [port = ""] = reply.text().split(" ");
  return port;
}

Deno.test("a silent client is forgotten, and gets a new port when it sends again", async () => {
  await using path = portServer({ idleMs: 20 });
  await using client = await connect(path.relay.addr);
  const first = await port(client);
  await until(() => path.relay.stats.expired > 0);
  assertEquals(path.relay.stats.sessions, 0);
  const second = await port(client);
  assert(first !== second, `${first}, ${second}`);
});

Deno.test("a client is not forgotten while a datagram of it is held", async () => {
  await using path = await route({
    idleMs: 10,
    delayMs: { min: 300, max: 300 },
  });
  await path.client.send("slow");
  await until(() => path.arrived.length === 1 || path.relay.stats.expired > 0);
  assertEquals(texts(path.arrived), ["slow"]);
  assertEquals(path.relay.stats.up.notSent, 0);
  await until(() => path.relay.stats.expired === 1);
});

Deno.test("at maxSessions further clients are refused and counted, others are served", async () => {
  await using path = portServer({ maxSessions: 2 });
  await using a = await connect(path.relay.addr);
  await using b = await connect(path.relay.addr);
  await using c = await connect(path.relay.addr);
  const ports = [await port(a), await port(b)];
  await c.send("?");
  await until(() => path.relay.stats.refused === 1);
  assertEquals([await port(a), await port(b)], ports);
  assertEquals(path.relay.stats.sessions, 2);
});

Deno.test("a forgotten client makes room for another", async () => {
  await using path = portServer({ maxSessions: 1, idleMs: 20 });
  await using a = await connect(path.relay.addr);
  await using b = await connect(path.relay.addr);
  await port(a);
  await until(() => path.relay.stats.sessions === 0);
  await port(b);
});

Deno.test("close frees every port", async () => {
  const path = portServer();
  await using a = await connect(path.relay.addr);
  await using b = await connect(path.relay.addr);
  const ports = [await port(a), await port(b), path.relay.addr.port];
  await path.relay.close();
  for (const port of ports) bind(`127.0.0.1:${port}`).close();
  assertEquals(path.relay.stats.sessions, 0);
  await path.relay.close();
  await path[Symbol.asyncDispose]();
});

Deno.test("close drops the datagrams that are held, and counts them", async () => {
  const delayMs = { min: HOUR_MS, max: HOUR_MS };
  await using path = await route({ delayMs });
  for (let n = 0; n < 10; n++) await path.client.send(`${n}`);
  await until(() => path.relay.stats.up.inFlight === 10);
  await path.relay.close();
  const { inFlight, notSent } = path.relay.stats.up;
  assertEquals([inFlight, notSent], [0, 10]);
});

Deno.test("close waits for a session whose server name is being looked up", async () => {
  // At each moment, from before its datagram arrives until the name is known.
  for (let turns = 0; turns < 100; turns++) {
    const relay = startRelay({ listen: LOOPBACK, to: "udp://localhost:9" });
    await using client = await connect(relay.addr);
    await client.send("?");
    for (let n = 0; n < turns; n++) await turn();
    await relay.close();
    assertEquals(relay.stats.sessions, 0);
  }
});

Deno.test("an upstream socket that cannot be opened is reported, and the relay goes on", async () => {
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
  assertMatch(errors[0]!.message, /0\.0\.0\.0 is the unspecified address/);
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

Deno.test("without onError the same error is printed once", async () => {
  const calls = await consoleErrors(async () => {
    await using relay = startRelay({ listen: LOOPBACK, to: NOBODY });
    await using client = await connect(relay.addr);
    for (let n = 0; n < 5; n++) await client.send("?");
    await until(() => relay.stats.refused === 5);
  });
  assertEquals(calls.length, 1);
});
