import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { bind, connect, serve, SocketClosedError } from "../mod.ts";
import { clockedClient } from "./support/fakes.ts";
import { isPending, LOOPBACK, SOON, turn } from "./support/helpers.ts";

Deno.test("concurrent requests each get the reply that they match", async () => {
  await using server = serve(LOOPBACK, (datagram) => datagram.data);
  await using client = await connect(server.addr);
  const numbers = Array.from({ length: 100 }, (_, i) => `${i}`);
  const replies = await Promise.all(
    numbers.map((id) =>
      client.request(id, { ...SOON, match: (reply) => reply.text() === id })
    ),
  );
  assertEquals(replies.map((reply) => reply.text()), numbers);
});

Deno.test("match rejects a late reply, which goes to the next receive", async () => {
  const { clock, carrier, socket } = clockedClient();
  const first = socket.request("1", { timeoutMs: 100 });
  clock.advance(100);
  await assertRejects(() => first, Deno.errors.TimedOut);
  const second = socket.request("2", {
    match: (reply) => reply.text() === "re: 2",
  });
  carrier.deliver("re: 1");
  assertEquals(await isPending(second), true);
  carrier.deliver("re: 2");
  assertEquals((await second).text(), "re: 2");
  assertEquals(socket.stats.waiting, 1);
  assertEquals((await socket.receive()).text(), "re: 1");
  socket.close();
});

Deno.test("a datagram that arrived before the request is not its reply", async () => {
  await using server = bind(LOOPBACK);
  await using client = await connect(server.addr);
  const given = new AbortController();
  const first = client.request("1", { signal: given.signal });
  const { from } = await server.receive(SOON);
  given.abort("enough");
  await first.catch((reason) => assertEquals(reason, "enough"));
  await server.send("late", from);
  // One receive was in flight when its request gave up: its datagram is kept.
  while (client.stats.waiting === 0) await turn();
  const request = client.request("2", SOON);
  await server.send("re: 2", (await server.receive(SOON)).from);
  assertEquals((await request).text(), "re: 2");
  assertEquals((await client.receive(SOON)).text(), "late");
});

Deno.test("a request gets its reply before a receive that waited longer", async () => {
  const { carrier, socket } = clockedClient();
  const receiving = socket.receive();
  const request = socket.request("ping", {
    match: (reply) => reply.text() === "pong",
  });
  const iterator = socket[Symbol.asyncIterator]();
  const next = iterator.next();
  carrier.deliver("pong");
  carrier.deliver("a");
  carrier.deliver("b");
  assertEquals((await request).text(), "pong");
  assertEquals((await receiving).text(), "a");
  assertEquals((await next).value?.text(), "b");
  socket.close();
});

Deno.test("256 datagrams that no request matches are kept, further ones are counted", async () => {
  const { carrier, socket } = clockedClient();
  const request = socket.request("ping", {
    match: (reply) => reply.text() === "pong",
  });
  for (let i = 0; i < 1000; i++) carrier.deliver(`${i}`);
  carrier.deliver("pong");
  assertEquals((await request).text(), "pong");
  assertEquals(socket.stats.waiting, 256);
  assertEquals(socket.stats.dropped["queueFull"], 1000 - 256);
  for (let i = 0; i < 256; i++) {
    assertEquals((await socket.receive()).text(), `${i}`);
  }
  assertEquals(await isPending(socket.receive({ timeoutMs: 1 })), true);
  assertEquals(socket.stats.received, 257);
  assertEquals(socket.stats.received + 744, carrier.delivered);
  socket.close();
});

Deno.test("a match that throws rejects its request, and the next one gets the datagram", async () => {
  const { clock, carrier, socket } = clockedClient();
  const oops = new Error("oops");
  const request = socket.request("ping", {
    match: () => {
      throw oops;
    },
  });
  const other = socket.request("ping");
  carrier.deliver("pong");
  assertStrictEquals(await request.catch((error) => error), oops);
  assertEquals((await other).text(), "pong");
  assertEquals(clock.timers, 0);
  socket.close();
});

Deno.test("a match that aborts its request loses no datagram", async () => {
  const { clock, carrier, socket } = clockedClient();
  const controller = new AbortController();
  const request = socket.request("1", {
    signal: controller.signal,
    match: () => {
      controller.abort("stop");
      return true;
    },
  });
  const other = socket.request("2", {
    match: (reply) => reply.text() === "re: 2",
  });
  carrier.deliver("re: 1");
  assertStrictEquals(await request.catch((error) => error), "stop");
  carrier.deliver("re: 2");
  assertEquals((await other).text(), "re: 2");
  assertEquals((await socket.receive()).text(), "re: 1");
  assertEquals(clock.timers, 0);
  assertEquals(socket.stats.received, 2);
  socket.close();
});

Deno.test("the counts add up if a match closes the socket", async () => {
  const { carrier, socket } = clockedClient();
  const request = socket.request("1", {
    match: () => {
      socket.close();
      return true;
    },
  });
  carrier.deliver("re: 1");
  await assertRejects(() => request, SocketClosedError);
  const { received, waiting, dropped } = socket.stats;
  assertEquals([received, waiting, dropped["closed"]], [0, 0, 1]);
});
