import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { connect } from "../mod.ts";
import { pattern, SOON, turn } from "./support/helpers.ts";
import { quicClient, quicServer, until } from "./support/quics.ts";

Deno.test("messages of megabytes are delivered whole if both ends allow them", async () => {
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

Deno.test("reliable messages wait for a slow receiver; none is lost", async () => {
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
  assertEquals(server.stats.dropped["queueFull"], 0);
});

Deno.test("a peer that receives nothing is disconnected, and sends to it reject", async () => {
  const { server, source } = quicServer({ reliable: true, idleMs: 2000 });
  await using _ = server;
  await using client = await connect(server.addr, {
    carrier: quicClient({ keepAliveMs: 20 }),
  });
  await client.send("x");
  const { from } = await server.receive(SOON);
  // The client's buffers take the first megabytes; then the backlog is full.
  const refused: string[] = [];
  while (source.stats.peers > 0) {
    await server.send(new Uint8Array(60_000), from)
      .catch(({ message }) => refused.push(message));
    await turn();
  }
  assertStringIncludes(refused[0]!, "the peer does not take its messages");
  await assertRejects(() => server.send("x", from), Deno.errors.NotConnected);
  const { sent, dropped, connections } = server.stats;
  assert(dropped["unconfirmed"]! > 0 && dropped["unconfirmed"]! <= sent);
  assertEquals(connections, { unread: 1 });
});

Deno.test("unconfirmed reliable messages are counted when the connection breaks", async () => {
  const { server } = quicServer({ reliable: true });
  const client = await connect(server.addr, { carrier: quicClient() });
  for (let n = 0; n < 30; n++) await client.send(new Uint8Array(60_000));
  server.close();
  await assertRejects(() => client.receive(SOON), Deno.errors.ConnectionReset);
  await client[Symbol.asyncDispose]();
  const { sent, dropped } = client.stats;
  const { waiting, dropped: unread } = server.stats;
  assertEquals([sent, waiting], [30, 0]);
  assert(dropped["unconfirmed"]! > 0);
  assert(unread["closed"]! >= sent - dropped["unconfirmed"]!);
  await server[Symbol.asyncDispose]();
});
