import {
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import {
  bind,
  connect,
  MessageTooLargeError,
  serve,
  SocketClosedError,
} from "../mod.ts";
import { clockedClient } from "./support/fakes.ts";
import { isPending, LOOPBACK, pattern, SOON, turn } from "./support/helpers.ts";

Deno.test("a request returns the reply", async () => {
  await using server = serve(LOOPBACK, (datagram) => `re: ${datagram.text()}`);
  await using client = await connect(server.addr);
  assertEquals((await client.request("ping", SOON)).text(), "re: ping");
  const { sent, received } = client.stats;
  assertEquals([sent, received], [1, 1]);
});

Deno.test("a request without a reply times out after its retries", async () => {
  const nobody = bind(LOOPBACK);
  const { addr } = nobody;
  await nobody[Symbol.asyncDispose]();
  await using client = await connect(addr);
  await assertRejects(
    () => client.request("ping", { timeoutMs: 1, retries: 2 }),
    Deno.errors.TimedOut,
    `Cannot request from udp://127.0.0.1:${addr.port}: no reply`,
  );
  assertEquals(client.stats.sent, 3);
});

Deno.test("a request waits timeoutMs after each send, by the carrier's clock", async () => {
  const { clock, carrier, socket } = clockedClient();
  const request = socket.request("ping", { timeoutMs: 100, retries: 2 });
  for (const sendings of [1, 2, 3]) {
    assertEquals(carrier.sent.length, sendings);
    clock.advance(99);
    assertEquals(await isPending(request), true);
    assertEquals(carrier.sent.length, sendings);
    clock.advance(1);
  }
  await assertRejects(() => request, Deno.errors.TimedOut, "3 times");
  assertEquals(carrier.sentTexts, ["ping", "ping", "ping"]);
  assertEquals(clock.timers, 0);
  socket.close();
});

Deno.test("without options a request is sent once and waits a second", async () => {
  const { clock, carrier, socket } = clockedClient();
  const request = socket.request("ping");
  clock.advance(999);
  assertEquals(await isPending(request), true);
  clock.advance(1);
  await assertRejects(() => request, Deno.errors.TimedOut, "no reply");
  assertEquals(carrier.sent.length, 1);
  socket.close();
});

Deno.test("a reply to a retry ends the request", async () => {
  const { clock, carrier, socket } = clockedClient();
  const request = socket.request("ping", { timeoutMs: 100, retries: 5 });
  await turn();
  clock.advance(100);
  carrier.deliver("pong");
  assertEquals((await request).text(), "pong");
  assertEquals(clock.timers, 0);
  clock.advance(10_000);
  assertEquals(carrier.sent.length, 2);
  socket.close();
});

Deno.test("a request with a timeoutMs of Infinity is sent once and waits", async () => {
  const { clock, carrier, socket } = clockedClient();
  const request = socket.request("ping", { timeoutMs: Infinity, retries: 3 });
  clock.advance(2 ** 31);
  assertEquals(await isPending(request), true);
  assertEquals(carrier.sent.length, 1);
  carrier.deliver("pong");
  assertEquals((await request).text(), "pong");
  socket.close();
});

Deno.test("an aborted request rejects with the signal's reason and sends no more", async () => {
  const { clock, carrier, socket } = clockedClient();
  const controller = new AbortController();
  const reason = new Error("stop");
  const { signal } = controller;
  const request = socket.request("ping", { signal, retries: 9 });
  await turn();
  clock.advance(1000);
  controller.abort(reason);
  assertStrictEquals(await request.catch((error) => error), reason);
  assertEquals(clock.timers, 0);
  clock.advance(100_000);
  assertEquals(carrier.sent.length, 2);
  carrier.deliver("late");
  assertEquals((await socket.receive()).text(), "late");
  socket.close();
});

Deno.test("a request with an aborted signal sends nothing", async () => {
  const { carrier, socket } = clockedClient();
  const signal = AbortSignal.abort("no");
  const thrown = await socket.request("x", { signal }).catch((error) => error);
  assertStrictEquals(thrown, "no");
  assertEquals(carrier.sent, []);
  assertEquals(carrier.reading, false);
  socket.close();
});

Deno.test("a request goes on if a send fails", async () => {
  const { clock, carrier, socket } = clockedClient();
  carrier.onSend = () => Promise.reject(new Deno.errors.NetworkUnreachable());
  const request = socket.request("ping", { timeoutMs: 100, retries: 1 });
  assertEquals(await isPending(request), true);
  carrier.onSend = (data) => Promise.resolve(data.length);
  clock.advance(100);
  carrier.deliver("pong");
  assertEquals((await request).text(), "pong");
  const { sent, sendFailed } = socket.stats;
  assertEquals([sent, sendFailed], [1, 1]);
  socket.close();
});

Deno.test("a request whose last send failed rejects with that error", async () => {
  const { clock, carrier, socket } = clockedClient();
  const cause = new Deno.errors.NetworkUnreachable("no route");
  const request = socket.request("ping", { timeoutMs: 100, retries: 1 });
  clock.advance(50);
  carrier.onSend = () => Promise.reject(cause);
  clock.advance(50);
  // Sends fail in their order.
  await assertRejects(() => socket.send("x"), Deno.errors.NetworkUnreachable);
  clock.advance(100);
  const error = await assertRejects(
    () => request,
    Deno.errors.NetworkUnreachable,
    "no route",
  );
  assertStrictEquals(error.cause, cause);
  socket.close();
});

Deno.test("a request whose last send succeeded times out, whatever failed before", async () => {
  const { clock, carrier, socket } = clockedClient();
  const slow = Promise.withResolvers<number>();
  carrier.onSend = () => slow.promise;
  const request = socket.request("ping", { timeoutMs: 100, retries: 1 });
  carrier.onSend = (data) => Promise.resolve(data.length);
  clock.advance(100);
  slow.reject(new Deno.errors.NetworkUnreachable("no route"));
  await turn();
  clock.advance(100);
  await assertRejects(() => request, Deno.errors.TimedOut, "2 times");
  socket.close();
});

Deno.test("a request that can never be sent rejects at once, without retries", async () => {
  const { clock, carrier, socket } = clockedClient();
  await assertRejects(
    () => socket.request(pattern(65_508), { retries: 9 }),
    MessageTooLargeError,
  );
  await assertRejects(
    () => socket.request(7 as unknown as string, { retries: 9 }),
    TypeError,
    "data must be",
  );
  assertEquals(carrier.sent, []);
  carrier.onSend = () => Promise.reject(new Deno.errors.NotCapable("no"));
  await assertRejects(
    () => socket.request("x", { retries: 9 }),
    Deno.errors.NotCapable,
  );
  assertEquals(carrier.sent.length, 1);
  assertEquals(clock.timers, 0);
  socket.close();
});

for (const retries of [-1, 1.5, NaN, Infinity]) {
  Deno.test(`${retries} retries are a RangeError, and nothing is sent`, async () => {
    const { carrier, socket } = clockedClient();
    await assertRejects(
      () => socket.request("x", { retries }),
      RangeError,
      `given ${retries}`,
    );
    assertEquals(carrier.sent, []);
    socket.close();
  });
}

Deno.test("a request's timeoutMs out of range is a RangeError, and nothing is sent", async () => {
  const { carrier, socket } = clockedClient();
  for (const timeoutMs of [-1, 2 ** 31, NaN]) {
    const error = await assertRejects(
      () => socket.request("x", { timeoutMs }),
      RangeError,
    );
    assertStringIncludes(error.message, `given ${timeoutMs}`);
  }
  assertEquals(carrier.sent, []);
  socket.close();
});

Deno.test("closing rejects a request that waits, and a request after it", async () => {
  const { clock, carrier, socket } = clockedClient();
  const request = socket.request("x", { retries: 9 });
  socket.close();
  await assertRejects(() => request, SocketClosedError);
  await assertRejects(() => socket.request("y"), SocketClosedError);
  assertEquals(clock.timers, 0);
  assertEquals(carrier.sentTexts, ["x"]);
});

Deno.test("an error of the carrier rejects a request, and the socket goes on", async () => {
  const { clock, carrier, socket } = clockedClient();
  const request = socket.request("x");
  carrier.fail(new Deno.errors.ConnectionRefused("nobody there"));
  await assertRejects(
    () => request,
    Deno.errors.ConnectionRefused,
    "nobody there",
  );
  assertEquals(clock.timers, 0);
  const again = socket.request("y");
  carrier.deliver("pong");
  assertEquals((await again).text(), "pong");
  socket.close();
});
