import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { connect, formatAddress, MessageTooLargeError, serve } from "../mod.ts";
import { quic } from "../lib/carriers/quic.ts";
import { pattern, SOON } from "./support/helpers.ts";
import {
  cert,
  key,
  quicClient,
  quicServer,
  rawConnection,
  sayFirst,
  until,
} from "./support/quics.ts";

Deno.test("peers and sockets show quic:// addresses", async () => {
  const { server } = quicServer();
  await using _ = server;
  await using client = await connect(server.addr, { carrier: quicClient() });
  await client.send("x");
  const { from } = await server.receive(SOON);
  assertEquals(
    [server.addr, client.remote, from].map(formatAddress),
    [server.addr, server.addr, client.addr].map(({ port }) =>
      `quic://127.0.0.1:${port}`
    ),
  );
});

Deno.test("names and IPv6 are connected to, and the certificate is checked for them", async () => {
  const carrier = quic({ cert, key, caCerts: [cert] });
  await using server = serve("quic://[::1]:0", () => "reply", { carrier });
  const { port } = server.addr;
  await using client = await connect(`quic://[::1]:${port}`, { carrier });
  assertEquals((await client.request("x", SOON)).text(), "reply");
  const { server: here } = quicServer();
  await using _ = here;
  await using named = await connect(`quic://localhost:${here.addr.port}`, {
    carrier,
  });
  assertEquals(named.remote.hostname, "127.0.0.1");
});

Deno.test("who holds the token gets in", async () => {
  const { server } = quicServer({ token: "sécret" });
  await using _ = server;
  await using client = await connect(server.addr, {
    carrier: quicClient({ token: "sécret" }),
  });
  await client.send("x");
  assertEquals((await server.receive(SOON)).text(), "x");
});

Deno.test("a datagram that is too large is refused with the limit of its connection", async () => {
  const { server } = quicServer();
  await using _ = server;
  await using client = await connect(server.addr, { carrier: quicClient() });
  const error = await assertRejects(
    () => client.send(new Uint8Array(1500)),
    MessageTooLargeError,
  );
  const [, limit] = /one datagram holds at most (\d+)$/.exec(error.message)!;
  assert(Number(limit) >= 1162 && Number(limit) < 1500, limit);
});

Deno.test("a message is limited by the smaller maxMessage of both ends", async () => {
  const { server } = quicServer({ maxMessage: 2000 });
  await using _ = server;
  await using client = await connect(server.addr, {
    carrier: quicClient({ reliable: true }),
  });
  await client.send(new Uint8Array(2000));
  await assertRejects(
    () => client.send(new Uint8Array(2001)),
    MessageTooLargeError,
    "at most 2000",
  );
  const { data, from } = await server.receive(SOON);
  assertEquals(data.length, 2000);
  await server.send(data, from);
  assertEquals((await client.receive(SOON)).data.length, 2000);
});

Deno.test("messages of megabytes pass whole where both ends say so", async () => {
  const maxMessage = 8 * 1024 * 1024;
  const options = { reliable: true, maxMessage };
  const { server } = quicServer(options, { maxSize: maxMessage });
  await using _ = server;
  await using client = await connect(server.addr, {
    carrier: quicClient(options),
  });
  const message = pattern(maxMessage);
  const sending = client.send(message);
  assertEquals((await server.receive(SOON)).data, message);
  await sending;
});

for (const reliable of [false, true]) {
  const kind = reliable ? "messages" : "datagrams";
  Deno.test(`${kind} that were sent just before a socket was disposed of arrive`, async () => {
    const { server } = quicServer({ reliable });
    await using _ = server;
    for (let round = 0; round < 5; round++) {
      {
        await using client = await connect(server.addr, {
          carrier: quicClient(),
        });
        for (let n = 0; n < 20; n++) await client.send(`${n}`);
      }
      for (let n = 0; n < 20; n++) {
        assertEquals((await server.receive(SOON)).text(), `${n}`);
      }
    }
    assertEquals(server.stats.dropped.lost, 0);
  });

  Deno.test(`${kind} that a server sent just before it was disposed of arrive`, async () => {
    const { server } = quicServer({ reliable });
    await using client = await connect(server.addr, { carrier: quicClient() });
    await client.send("x");
    {
      await using _ = server;
      const { from } = await server.receive(SOON);
      for (let n = 0; n < 20; n++) await server.send(`${n}`, from);
    }
    for (let n = 0; n < 20; n++) {
      assertEquals((await client.receive(SOON)).text(), `${n}`);
    }
  });

  Deno.test(`${kind} are counted by the way that they went, at both ends`, async () => {
    const { server, source } = quicServer();
    await using _ = server;
    const carrier = quicClient({ reliable });
    await using client = await connect(server.addr, { carrier });
    for (let n = 0; n < 3; n++) await client.send("x");
    const { from } = await server.receive(SOON);
    await server.send("y", from);
    await client.receive(SOON);
    const none = { datagrams: 0, messages: 0 };
    assertEquals(carrier.stats.sent, { ...none, [kind]: 3 });
    assertEquals(carrier.stats.received, { ...none, [kind]: 1 });
    await until(() => source.stats.received[kind] === 3);
    assertEquals(source.stats.sent, { ...none, [kind]: 1 });
  });
}

Deno.test("a peer that goes is forgotten, and cannot be sent to", async () => {
  const { server, source } = quicServer();
  await using _ = server;
  const client = await connect(server.addr, { carrier: quicClient() });
  await client.send("x");
  const { from } = await server.receive(SOON);
  assertEquals(source.stats.peers, 1);
  await client[Symbol.asyncDispose]();
  await until(() => source.stats.peers === 0);
  const error = await assertRejects(
    () => server.send("y", from),
    Deno.errors.NotConnected,
  );
  assertStringIncludes(error.message, "no peer is connected from there");
});

Deno.test("a peer of whom nothing is heard is forgotten", async () => {
  const { server, source } = quicServer({ idleMs: 100 });
  await using _ = server;
  using conn = await rawConnection(server.addr.port);
  const answer = await sayFirst(conn);
  assertEquals((await answer.read()).value?.length, 5);
  assertEquals(source.stats.peers, 1);
  await until(() => source.stats.peers === 0);
});

Deno.test("a client that has nothing to send stays connected", async () => {
  const { server, source } = quicServer({ idleMs: 200 });
  await using _ = server;
  await using client = await connect(server.addr, {
    carrier: quicClient({ keepAliveMs: 20 }),
  });
  await assertRejects(
    () => client.receive({ timeoutMs: 600 }),
    Deno.errors.TimedOut,
  );
  assertEquals(source.stats.peers, 1);
});

Deno.test("when its server goes, a client gets what came before, and then learns it", async () => {
  const { server } = quicServer();
  await using client = await connect(server.addr, { carrier: quicClient() });
  await client.send("x");
  const { from } = await server.receive(SOON);
  await server.send("last words", from);
  await server[Symbol.asyncDispose]();
  assertEquals((await client.receive(SOON)).text(), "last words");
  const error = await assertRejects(
    () => client.receive(SOON),
    Deno.errors.ConnectionReset,
  );
  assertStringIncludes(error.message, "the peer has closed the connection");
  await assertRejects(
    () => client.send("x"),
    Deno.errors.NotConnected,
    "the peer has closed the connection",
  );
});

Deno.test("what a slow receiver loses is counted: all that was sent adds up", async () => {
  const { server } = quicServer();
  await using _ = server;
  const sent = 20_000;
  {
    await using client = await connect(server.addr, { carrier: quicClient() });
    for (let n = 0; n < sent; n++) await client.send(new Uint8Array(1000));
  }
  while (await server.tryReceive() !== undefined);
  const { received, dropped } = server.stats;
  assert(dropped.queueFull > 0);
  assertEquals(received + dropped.queueFull + dropped.lost, sent);
});

Deno.test("reliable messages wait for a slow receiver, and none is lost", async () => {
  const { server, source } = quicServer({ reliable: true });
  await using _ = server;
  await using client = await connect(server.addr, { carrier: quicClient() });
  const message = pattern(60_000);
  let sent = 0;
  const sending = (async () => {
    for (; sent < 400; sent++) await client.send(message);
  })();
  // A megabyte waits here; the system's buffers hold the next few.
  await until(() => source.stats.received.messages >= 10);
  const { promise: later, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, 100);
  await later;
  assert(sent < 400, "it was not held back");
  for (let n = 0; n < 400; n++) {
    assertEquals((await server.receive(SOON)).data, message);
  }
  await sending;
  assertEquals(server.stats.dropped.queueFull, 0);
});

Deno.test("a peer that takes no messages is let go, and its sends reject", async () => {
  const { server, source } = quicServer({ reliable: true, idleMs: 300 });
  await using _ = server;
  await using client = await connect(server.addr, {
    carrier: quicClient({ keepAliveMs: 20 }),
  });
  await client.send("x");
  const { from } = await server.receive(SOON);
  await assertRejects(async () => {
    for (;;) await server.send(new Uint8Array(60_000), from);
  }, Deno.errors.NotConnected);
  await until(() => source.stats.peers === 0);
  assert(server.stats.dropped.unconfirmed > 0);
});

Deno.test("reliable messages that nobody confirmed are counted when the connection breaks", async () => {
  const { server } = quicServer({ reliable: true });
  const client = await connect(server.addr, { carrier: quicClient() });
  for (let n = 0; n < 30; n++) await client.send(new Uint8Array(60_000));
  server.close();
  await assertRejects(() => client.receive(SOON), Deno.errors.ConnectionReset);
  await client[Symbol.asyncDispose]();
  const { sent, dropped } = client.stats;
  const { waiting, dropped: unread } = server.stats;
  assertEquals([sent, waiting], [30, 0]);
  assert(dropped.unconfirmed > 0);
  assert(unread.closed >= sent - dropped.unconfirmed);
  await server[Symbol.asyncDispose]();
});

Deno.test("of two connections from one address the newer one is the peer", async () => {
  const { server, source } = quicServer();
  await using _ = server;
  const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1" });
  const call = () =>
    Deno.connectQuic({
      ...{ hostname: "127.0.0.1", port: server.addr.port, endpoint },
      ...{ alpnProtocols: ["pli/1"], caCerts: [cert] },
    });
  const older = await call();
  const olderAnswer = await sayFirst(older);
  await olderAnswer.read();
  const newer = await call();
  await (await sayFirst(newer)).read();
  assertEquals((await older.closed).closeCode, 5);
  await newer.sendDatagram(new TextEncoder().encode("x"));
  const { from } = await server.receive(SOON);
  await server.send("y", from);
  assertEquals(await newer.readDatagram(), new TextEncoder().encode("y"));
  await until(() => source.stats.peers === 1);
  endpoint.close();
});

Deno.test("a peer that sends more than was agreed, or nonsense, is let go, and others are served", async () => {
  const { server, source } = quicServer({ reliable: true, maxMessage: 1000 });
  await using _ = server;
  {
    using conn = await rawConnection(server.addr.port);
    await sayFirst(conn);
    const stream = (await conn.createUnidirectionalStream()).getWriter();
    await stream.write(new Uint8Array([0, 0, 3, 233]));
    assertEquals((await conn.closed).closeCode, 7);
  }
  {
    using conn = await rawConnection(server.addr.port);
    const stream = await conn.createBidirectionalStream();
    const writer = stream.writable.getWriter();
    await writer.write(new Uint8Array([0, 0, 0, 0, 9, 0, 0]));
    await writer.write(new Uint8Array([99, 0, 0, 0, 0, 0, 0, 0, 0]));
    assertEquals((await conn.closed).closeCode, 7);
  }
  await until(() => source.stats.peers === 0);
  await using client = await connect(server.addr, { carrier: quicClient() });
  await client.send("served");
  assertEquals((await server.receive(SOON)).text(), "served");
});

Deno.test("a socket that is disposed of while others still call ends all the same", async () => {
  const { server } = quicServer();
  const carrier = quicClient({ handshakeMs: 500 });
  const calls = Promise.allSettled(
    Array.from({ length: 10 }, () => connect(server.addr, { carrier })),
  );
  await server[Symbol.asyncDispose]();
  for (const call of await calls) {
    if (call.status === "fulfilled") await call.value[Symbol.asyncDispose]();
  }
});

Deno.test("connecting often piles up no ports", async () => {
  const { server } = quicServer();
  await using _ = server;
  const ports = new Set<number>();
  for (let n = 0; n < 50; n++) {
    await using client = await connect(server.addr, { carrier: quicClient() });
    ports.add(client.addr.port);
  }
  assert(ports.size < 10, `${ports.size} ports`);
});
