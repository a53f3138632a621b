import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { connect, formatAddress, MessageTooLargeError, serve } from "../mod.ts";
import { quic } from "../lib/carriers/quic.ts";
import { SOON } from "./support/helpers.ts";
import {
  cert,
  key,
  quicClient,
  quicServer,
  rawConnection,
  sayFirst,
  until,
} from "./support/quics.ts";

Deno.test("the addresses of peers and sockets are quic:// addresses", async () => {
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

Deno.test("connect takes names and IPv6, and checks the certificate for them", async () => {
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

Deno.test("a client that has the token is accepted", async () => {
  const { server } = quicServer({ token: "sécret" });
  await using _ = server;
  await using client = await connect(server.addr, {
    carrier: quicClient({ token: "sécret" }),
  });
  await client.send("x");
  assertEquals((await server.receive(SOON)).text(), "x");
});

Deno.test("a datagram that is too large is rejected with its connection's limit", async () => {
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

for (const reliable of [false, true]) {
  const kind = reliable ? "messages" : "datagrams";
  Deno.test(`${kind} that a client sent just before it was disposed of arrive`, async () => {
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
    assertEquals(server.stats.dropped["lost"], 0);
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

  Deno.test(`${kind} are counted as such at both ends`, async () => {
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

Deno.test("a peer that has left is removed, and sends to it reject", async () => {
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
  assertStringIncludes(error.message, "that peer is not connected");
});

Deno.test("a client with nothing to send stays connected", async () => {
  const { server, source } = quicServer({ idleMs: 2000 });
  await using _ = server;
  await using client = await connect(server.addr, {
    carrier: quicClient({ keepAliveMs: 20 }),
  });
  await assertRejects(
    () => client.receive({ timeoutMs: 3000 }),
    Deno.errors.TimedOut,
  );
  assertEquals(source.stats.peers, 1);
});

Deno.test("a client receives what its server sent last, then rejects", async () => {
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

Deno.test("what a slow receiver loses is counted, and everything sent adds up", async () => {
  const { server } = quicServer();
  await using _ = server;
  const sent = 20_000;
  {
    await using client = await connect(server.addr, { carrier: quicClient() });
    for (let n = 0; n < sent; n++) await client.send(new Uint8Array(1000));
  }
  while (await server.tryReceive() !== undefined);
  const { received, dropped } = server.stats;
  assert(dropped["queueFull"]! > 0);
  assertEquals(received + dropped["queueFull"]! + dropped["lost"]!, sent);
});

Deno.test("the newer of two connections from one address is the peer", async () => {
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

Deno.test("a peer that violates the protocol is disconnected; others are served", async () => {
  const { server, source } = quicServer({ reliable: true, maxMessage: 1000 });
  await using _ = server;
  {
    using conn = await rawConnection(server.addr.port);
    await sayFirst(conn);
    const stream = (await conn.createUnidirectionalStream()).getWriter();
    await stream.write(new Uint8Array([0, 0, 3, 233]));
    assertEquals((await conn.closed).closeCode, 7);
  }
  const unknown = [99, 0, 0, 0, 0, 0, 0, 0, 0];
  // Counts that no peer can reach: sums with them would not be exact.
  const lies = [1, 2, 3, 4].map((kind) => [kind, 0, 32, 0, 0, 0, 0, 0, 0]);
  for (const frame of [unknown, ...lies]) {
    using conn = await rawConnection(server.addr.port);
    const stream = await conn.createBidirectionalStream();
    const writer = stream.writable.getWriter();
    await writer.write(new Uint8Array([0, 0, 0, 0, 9, 0, 0]));
    await writer.write(new Uint8Array(frame));
    assertEquals((await conn.closed).closeCode, 7);
  }
  await until(() => source.stats.peers === 0);
  assertEquals(server.stats.dropped["lost"], 0);
  await using client = await connect(server.addr, { carrier: quicClient() });
  await client.send("served");
  assertEquals((await server.receive(SOON)).text(), "served");
});

Deno.test("a socket can be disposed of while clients connect", async () => {
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

Deno.test("connecting often does not pile up ports", async () => {
  const { server } = quicServer();
  await using _ = server;
  const ports = new Set<number>();
  for (let n = 0; n < 50; n++) {
    await using client = await connect(server.addr, { carrier: quicClient() });
    ports.add(client.addr.port);
  }
  assert(ports.size < 10, `${ports.size} ports`);
});
