import {
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { bind, InvalidAddressError, serve, SocketClosedError } from "../mod.ts";
import { fakeBound, FakeClock } from "./support/fakes.ts";
import {
  isPending,
  LOOPBACK,
  net,
  PEER,
  SOON,
  STRANGER,
  turn,
} from "./support/helpers.ts";

function clockedBound() {
  const clock = new FakeClock();
  return { clock, ...fakeBound({ clock }) };
}

Deno.test("a bound socket's requests to many peers each get their reply", async () => {
  await using one = serve(LOOPBACK, (datagram) => `1: ${datagram.text()}`);
  await using two = serve(LOOPBACK, (datagram) => `2: ${datagram.text()}`);
  await using socket = bind(LOOPBACK);
  const replies = await Promise.all(
    Array.from({ length: 100 }, (_, i) => {
      const server = i % 2 === 0 ? one : two;
      return socket.request(`${i}`, server.addr, {
        ...SOON,
        match: (reply) => reply.text().endsWith(`: ${i}`),
      });
    }),
  );
  assertEquals(
    replies.map((reply) => reply.text()),
    Array.from({ length: 100 }, (_, i) => `${i % 2 + 1}: ${i}`),
  );
  assertEquals(socket.stats.waiting, 0);
});

Deno.test("only the peer that was asked can reply, however its address is written", async () => {
  const { carrier, socket } = clockedBound();
  const request = socket.request("x", `udp://127.0.0.1:${PEER.port}`);
  carrier.deliver("not you", STRANGER);
  assertEquals(await isPending(request), true);
  carrier.deliver("you", net("::ffff:127.0.0.1", PEER.port));
  assertEquals((await request).text(), "you");
  assertEquals((await socket.receive()).text(), "not you");
  socket.close();
});

Deno.test("a request to a name takes the reply of the address that was looked up", async () => {
  await using server = serve(LOOPBACK, ({ data }) => data);
  await using socket = bind(LOOPBACK);
  const { port } = server.addr;
  const reply = await socket.request("x", `udp://localhost:${port}`, SOON);
  assertEquals(reply.from, server.addr);
});

Deno.test("a reply goes to the first request that takes it, in the order of the calls", async () => {
  const { carrier, socket } = clockedBound();
  const all = [1, 2, 3].map(() => socket.request("x", PEER));
  for (const text of ["a", "b", "c"]) carrier.deliver(text);
  const texts = (await Promise.all(all)).map((reply) => reply.text());
  assertEquals(texts, ["a", "b", "c"]);
  socket.close();
});

Deno.test("of 1,000 requests to as many peers, a datagram is shown to one", async () => {
  const { carrier, socket } = clockedBound();
  let shown = 0;
  const match = () => ++shown > 0;
  const peers = Array.from({ length: 1000 }, (_, i) => net("10.0.0.1", i + 1));
  const all = peers.map((peer) => socket.request("x", peer, { match }));
  for (const peer of peers.toReversed()) carrier.deliver(`${peer.port}`, peer);
  const replies = await Promise.all(all);
  assertEquals(
    replies.map((reply) => reply.text()),
    peers.map((p) => `${p.port}`),
  );
  assertEquals(shown, 1000);
  socket.close();
});

Deno.test("what requests do not take goes to loops, receive and batches, once each", async () => {
  const { carrier, socket } = clockedBound();
  const loop = socket[Symbol.asyncIterator]();
  const batches = socket.batches();
  const request = socket.request("x", PEER, {
    match: (reply) => reply.text() === "reply",
  });
  const first = loop.next();
  const batch = batches.next();
  const received = socket.receive();
  for (const text of ["a", "reply", "b", "c"]) carrier.deliver(text);
  assertEquals((await request).text(), "reply");
  assertEquals((await first).value?.text(), "a");
  assertEquals((await batch).value?.map((d: { text(): string }) => d.text()), [
    "b",
  ]);
  assertEquals((await received).text(), "c");
  assertEquals(socket.stats.received, 4);
  socket.close();
});

Deno.test("given up and late: a request consumes nothing, and the sums add up", async () => {
  const { clock, carrier, socket } = clockedBound();
  const aborted = new AbortController();
  const one = socket.request("1", PEER, { signal: aborted.signal });
  const two = socket.request("2", PEER, { timeoutMs: 10 });
  aborted.abort("enough");
  assertStrictEquals(await one.catch((error) => error), "enough");
  clock.advance(10);
  const error = await assertRejects(() => two, Deno.errors.TimedOut);
  assertEquals(
    error.message,
    "Cannot request from udp://127.0.0.1:40000: no reply within 10 ms",
  );
  carrier.deliver("late 1");
  carrier.deliver("late 2");
  assertEquals((await socket.receive()).text(), "late 1");
  assertEquals((await socket.receive()).text(), "late 2");
  assertEquals(clock.timers, 0);
  socket.close();
});

Deno.test("a match that throws, closes or is asynchronous ends its own request only", async () => {
  const { carrier, socket } = clockedBound();
  const oops = new Error("oops");
  const thrown = socket.request("x", PEER, {
    match: () => {
      throw oops;
    },
  });
  const later = socket.request("x", PEER, {
    match: (() => Promise.resolve(true)) as unknown as () => boolean,
  });
  const good = socket.request("x", PEER);
  carrier.deliver("reply");
  assertStrictEquals(await thrown.catch((error) => error), oops);
  const error = await assertRejects(() => later, TypeError);
  assertStringIncludes(error.message, "not asynchronous");
  assertEquals((await good).text(), "reply");
  const closing = socket.request("x", PEER, {
    match: () => {
      socket.close();
      return true;
    },
  });
  const other = socket.request("y", STRANGER);
  const rejections = [closing, other].map((request) =>
    assertRejects(() => request, SocketClosedError)
  );
  carrier.deliver("last");
  await Promise.all(rejections);
  assertEquals(socket.stats.dropped["closed"], 1);
});

Deno.test("a match that requests again does not see the same datagram again", async () => {
  const { carrier, socket } = clockedBound();
  let again: Promise<unknown> | undefined;
  const request = socket.request("x", PEER, {
    match: () => {
      again ??= socket.request("again", PEER);
      return false;
    },
  });
  request.catch(() => {});
  carrier.deliver("first");
  await turn();
  assertEquals(socket.stats.waiting, 1);
  carrier.deliver("second");
  await again;
  assertEquals((await socket.receive()).text(), "first");
  socket.close();
  await assertRejects(() => request, SocketClosedError);
});

for (
  const [to, says] of [
    ["udp://224.0.0.251:5353", "it is a multicast group"],
    ["udp://255.255.255.255:9", "it is a broadcast address"],
    ["udp://0.0.0.0:9", "it is the unspecified address"],
    ["tcp://127.0.0.1:9", "this socket"],
    ["udp://127.0.0.1:0", "port"],
  ] as const
) {
  Deno.test(`a request to ${to} is rejected on one line, and nothing is sent`, async () => {
    const { carrier, socket } = clockedBound();
    const error = await assertRejects(
      () => socket.request("x", to),
      InvalidAddressError,
    );
    assertStringIncludes(error.message, says);
    assertEquals(error.message.includes("\n"), false);
    assertEquals(carrier.sent, []);
    socket.close();
  });
}

Deno.test("changing the address after the call changes nothing", async () => {
  const { clock, carrier, socket } = clockedBound();
  const to = { ...PEER };
  const request = socket.request("x", to, { timeoutMs: 10, retries: 1 });
  Object.assign(to, STRANGER);
  await turn();
  clock.advance(10);
  assertEquals(carrier.sent.map(({ to }) => to), [PEER, PEER]);
  carrier.deliver("no", STRANGER);
  carrier.deliver("yes");
  assertEquals((await request).text(), "yes");
  socket.close();
});

for (const to of ["nonsense", "udp://239.0.0.1:9"]) {
  Deno.test(`requests to ${to} in a loop let the event loop turn`, async () => {
    const { socket } = fakeBound();
    let isOver = false;
    const timer = setTimeout(() => isOver = true, 1);
    while (!isOver) await socket.request("x", to).catch(() => {});
    clearTimeout(timer);
    socket.close();
  });
}

Deno.test("an unknown name rejects a request, and closing ends a look-up", async () => {
  const { carrier, socket } = clockedBound();
  const lost = new Deno.errors.NotFound("unknown host");
  Object.assign(carrier, { lookUp: () => Promise.reject(lost) });
  await assertRejects(
    () => socket.request("x", "udp://nowhere.test:9"),
    Deno.errors.NotFound,
    "Cannot request from udp://nowhere.test:9: unknown host",
  );
  Object.assign(carrier, { lookUp: () => new Promise(() => {}) });
  const request = socket.request("x", "udp://slow.test:9");
  socket.close();
  await assertRejects(() => request, SocketClosedError);
  assertEquals(carrier.sent, []);
});

Deno.test("a look-up that takes longer than timeoutMs ends the request", async () => {
  const { clock, carrier, socket } = clockedBound();
  Object.assign(carrier, { lookUp: () => new Promise(() => {}) });
  const request = socket.request("x", "udp://slow.test:9", { timeoutMs: 50 });
  clock.advance(50);
  await assertRejects(
    () => request,
    Deno.errors.TimedOut,
    "the name was not looked up within 50 ms",
  );
  assertEquals(clock.timers, 0);
  socket.close();
});
