import { once } from "node:events";
import {
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  bind,
  type Datagram,
  InvalidAddressError,
  SocketClosedError,
} from "../mod.ts";
import { simulateNetwork } from "../lib/testing/mod.ts";
import { fakeBound, FakeClock } from "./support/fakes.ts";
import { isPending, net, PEER, STRANGER, turn } from "./support/helpers.ts";

function clockedBound() {
  const clock = new FakeClock();
  return { clock, ...fakeBound({ clock }) };
}

async function texts(
  replies: AsyncIterable<Datagram>,
): Promise<string[]> {
  const list: string[] = [];
  for await (const reply of replies) list.push(reply.text());
  return list;
}

Deno.test("a gather takes what comes within its time, and leaves the rest", async () => {
  const { clock, carrier, socket } = clockedBound();
  const all = texts(socket.gather("who?", PEER, { forMs: 100 }));
  await turn();
  assertEquals(carrier.sentTexts, ["who?"]);
  for (const text of ["a", "b"]) carrier.deliver(text);
  carrier.deliver("stranger", STRANGER);
  await turn();
  clock.advance(99);
  carrier.deliver("c");
  await turn();
  clock.advance(1);
  assertEquals(await all, ["a", "b", "c"]);
  assertEquals(clock.timers, 0);
  carrier.deliver("late");
  assertEquals((await socket.receive()).text(), "stranger");
  assertEquals((await socket.receive()).text(), "late");
  socket.close();
});

Deno.test("unique peers: each replies once, and the loop ends when all have", async () => {
  const { clock, carrier, socket } = clockedBound();
  const all = texts(socket.gather("who?", [PEER, STRANGER], {
    forMs: Infinity,
    unique: "peer",
  }));
  await turn();
  for (const text of ["a", "again"]) carrier.deliver(text);
  carrier.deliver("b", STRANGER);
  assertEquals(await all, ["a", "b"]);
  assertEquals((await socket.receive()).text(), "again");
  assertEquals(clock.timers, 0);
  socket.close();
});

Deno.test("of a group anyone may reply; match decides", async () => {
  const { clock, carrier, socket } = clockedBound();
  const all = texts(socket.gather("who?", "udp://239.1.2.3:99", {
    forMs: 10,
    match: (reply) => reply.text().startsWith("me"),
  }));
  await turn();
  carrier.deliver("me 1", PEER);
  carrier.deliver("other", PEER);
  carrier.deliver("me 2", STRANGER);
  await turn();
  clock.advance(10);
  assertEquals(await all, ["me 1", "me 2"]);
  assertEquals((await socket.receive()).text(), "other");
  socket.close();
});

Deno.test("leaving the loop gives back the replies that it has not had", async () => {
  const { clock, carrier, socket } = clockedBound();
  carrier.onSend = (data) => {
    for (const text of ["a", "b", "c"]) carrier.deliver(text);
    return Promise.resolve(data.length);
  };
  for await (const reply of socket.gather("who?", PEER)) {
    assertEquals(reply.text(), "a");
    while (socket.stats.waiting < 2) await turn();
    break;
  }
  assertEquals(clock.timers, 0);
  assertEquals((await socket.receive()).text(), "b");
  assertEquals((await socket.receive()).text(), "c");
  assertEquals(socket.stats.received, 3);
  socket.close();
});

Deno.test("a slow loop gets all that came in time, up to 256", async () => {
  const { clock, carrier, socket } = clockedBound();
  const replies = socket.gather("who?", PEER, { forMs: 10 });
  const first = replies.next();
  await turn();
  for (let i = 0; i < 1000; i++) carrier.deliver(`${i}`);
  await first;
  while (carrier.queued > 0) await turn();
  await turn();
  clock.advance(10);
  const { waiting, dropped } = socket.stats;
  // One was for the loop; 256 wait for it, and 256 for the next receive.
  assertEquals([waiting, dropped["queueFull"]], [512, 1000 - 513]);
  const rest = await texts(replies);
  assertEquals(rest, Array.from({ length: 256 }, (_, i) => `${i + 1}`));
  assertEquals((await socket.receive()).text(), "257");
  socket.close();
  const after = socket.stats;
  assertEquals(after.received + after.dropped["closed"]! + 487, 1000);
});

Deno.test("a gather asks again those that have not replied, with growing waits", async () => {
  const { clock, carrier, socket } = clockedBound();
  const all = texts(socket.gather("who?", [PEER, STRANGER], {
    forMs: 1000,
    resendMs: 100,
    backoff: { factor: 2, jitter: 0 },
  }));
  await turn();
  assertEquals(carrier.sent.length, 2);
  carrier.deliver("me");
  await turn();
  const moments: number[] = [];
  carrier.onSend = (data) => {
    moments.push(clock.now());
    return Promise.resolve(data.length);
  };
  for (let i = 0; i < 1000; i++) {
    clock.advance(1);
    await turn();
  }
  assertEquals(await all, ["me"]);
  assertEquals(moments, [100, 300, 700]);
  assertEquals(carrier.sent.at(-1)?.to, STRANGER);
  socket.close();
});

Deno.test("after max replies a gather ends, and further ones go to receive", async () => {
  const { carrier, socket } = clockedBound();
  const all = texts(socket.gather("who?", PEER, { max: 2 }));
  await turn();
  for (const text of ["a", "b", "c"]) carrier.deliver(text);
  assertEquals(await all, ["a", "b"]);
  assertEquals((await socket.receive()).text(), "c");
  socket.close();
});

Deno.test("an abort is thrown into the loop, and gives back what it has not had", async () => {
  const { clock, carrier, socket } = clockedBound();
  const controller = new AbortController();
  const { signal } = controller;
  const replies = socket.gather("who?", PEER, { signal });
  const first = replies.next();
  await turn();
  for (const text of ["a", "b"]) carrier.deliver(text);
  assertEquals((await first).value?.text(), "a");
  while (socket.stats.waiting < 1) await turn();
  controller.abort("enough");
  assertStrictEquals(await replies.next().catch((error) => error), "enough");
  assertEquals((await replies.next()).done, true);
  assertEquals((await socket.receive()).text(), "b");
  assertEquals(clock.timers, 0);
  const thrown = await socket.gather("x", PEER, { signal }).next()
    .catch((error) => error);
  assertStrictEquals(thrown, "enough");
  assertEquals(carrier.sent.length, 1);
  socket.close();
});

Deno.test("closing the socket ends a gather, and counts the replies that it had", async () => {
  const { clock, carrier, socket } = clockedBound();
  const replies = socket.gather("who?", PEER);
  const first = replies.next();
  await turn();
  for (const text of ["a", "b", "c"]) carrier.deliver(text);
  await first;
  while (socket.stats.waiting < 2) await turn();
  socket.close();
  assertEquals((await replies.next()).done, true);
  const { received, waiting, dropped } = socket.stats;
  assertEquals([received, waiting, dropped["closed"]], [1, 0, 2]);
  assertEquals(clock.timers, 0);
  assertThrows(() => socket.gather("x", PEER), SocketClosedError);
});

Deno.test("a match that throws ends its gather, and the datagram is kept", async () => {
  const { clock, carrier, socket } = clockedBound();
  const oops = new Error("oops");
  const replies = socket.gather("who?", PEER, {
    match: () => {
      throw oops;
    },
  });
  const first = replies.next();
  await turn();
  carrier.deliver("a");
  assertStrictEquals(await first.catch((error) => error), oops);
  assertEquals((await socket.receive()).text(), "a");
  assertEquals(clock.timers, 0);
  socket.close();
});

Deno.test("a match that ends its own loop takes nothing, and the sums add up", async () => {
  const { clock, carrier, socket } = clockedBound();
  const replies = socket.gather("who?", PEER, {
    match: () => {
      replies.return!();
      return true;
    },
  });
  const first = replies.next();
  await turn();
  carrier.deliver("a");
  assertEquals((await first).done, true);
  assertEquals((await socket.receive()).text(), "a");
  assertEquals(clock.timers, 0);
  const { received, waiting } = socket.stats;
  assertEquals([received, waiting], [1, 0]);
  socket.close();
});

Deno.test("a match that closes the socket ends its loop, and the datagram is counted", async () => {
  const { clock, carrier, socket } = clockedBound();
  const replies = socket.gather("who?", PEER, {
    match: ({ data }) => {
      if (data[0] === "b".charCodeAt(0)) socket.close();
      return true;
    },
  });
  const first = replies.next();
  await turn();
  carrier.deliver("a");
  await first;
  carrier.deliver("a2");
  carrier.deliver("b");
  while (socket.stats.dropped["closed"]! < 2) await turn();
  assertEquals((await replies.next()).done, true);
  const { received, waiting, dropped } = socket.stats;
  assertEquals([received, waiting, dropped["closed"]], [1, 0, 2]);
  assertEquals(clock.timers, 0);
});

Deno.test("requests get their replies while a gather and a loop take the rest", async () => {
  const { clock, carrier, socket } = clockedBound();
  const gathered = texts(
    socket.gather("who?", "udp://239.0.0.1:9", {
      forMs: 10,
      match: (reply) => reply.text() !== "news",
    }),
  );
  const loop = socket[Symbol.asyncIterator]();
  const news = loop.next();
  await turn();
  const request = socket.request("you?", PEER, {
    match: (reply) => reply.text() === "me",
  });
  for (const text of ["other", "news", "me"]) carrier.deliver(text);
  assertEquals((await request).text(), "me");
  assertEquals((await news).value?.text(), "news");
  clock.advance(10);
  assertEquals(await gathered, ["other"]);
  assertEquals(socket.stats.received, 3);
  socket.close();
});

Deno.test("steps that are asked for at once get the replies in order, and then the end", async () => {
  const { clock, carrier, socket } = clockedBound();
  const replies = socket.gather("who?", PEER, { forMs: 10, max: 2 });
  const steps = [1, 2, 3].map(() => replies.next());
  await turn();
  for (const text of ["a", "b", "c"]) carrier.deliver(text);
  const results = await Promise.all(steps);
  assertEquals(results.map(({ value }) => value?.text()), [
    "a",
    "b",
    undefined,
  ]);
  assertEquals(clock.timers, 0);
  assertEquals((await socket.receive()).text(), "c");
  socket.close();
});

Deno.test("the names of a list are looked up; those that are unknown are left out", async () => {
  const { carrier, socket } = clockedBound();
  const lookUp = ({ hostname, port }: Deno.NetAddr) =>
    hostname === "known.test"
      ? Promise.resolve({ transport: "udp", hostname: "10.0.0.7", port })
      : Promise.reject(new Deno.errors.NotFound("unknown host"));
  Object.assign(carrier, { lookUp });
  const names = ["udp://known.test:9", "udp://unknown.test:9"];
  const all = texts(socket.gather("who?", names, { unique: "peer" }));
  await turn();
  carrier.deliver("me", net("10.0.0.7", 9));
  assertEquals(await all, ["me"]);
  assertEquals(carrier.sent.map(({ to }) => to), [net("10.0.0.7", 9)]);
  await assertRejects(
    () => socket.gather("who?", names[1]!).next(),
    Deno.errors.NotFound,
    "Cannot gather on udp://127.0.0.1:62000: unknown host",
  );
  socket.close();
});

Deno.test("a name that is looked up forever keeps no other peer from being asked", async () => {
  const { clock, carrier, socket } = clockedBound();
  Object.assign(carrier, { lookUp: () => new Promise(() => {}) });
  const names = ["udp://slow.test:9", PEER];
  const all = texts(
    socket.gather("who?", names, { forMs: 10, unique: "peer" }),
  );
  await turn();
  carrier.deliver("me");
  await turn();
  clock.advance(10);
  assertEquals(await all, ["me"]);
  assertEquals(clock.timers, 0);
  socket.close();
});

Deno.test("a peer to which no send ends keeps no other from being asked again", async () => {
  const { clock, carrier, socket } = clockedBound();
  carrier.onSend = (data, to) =>
    "port" in to && to.port === PEER.port
      ? new Promise(() => {})
      : Promise.resolve(data.length);
  const all = texts(
    socket.gather("who?", [PEER, STRANGER], { forMs: 25, resendMs: 10 }),
  );
  await turn();
  for (let i = 0; i < 25; i++) {
    clock.advance(1);
    await turn();
  }
  assertEquals(await all, []);
  assertEquals(carrier.sent.map(({ to }) => to), [
    ...[PEER, STRANGER, STRANGER, STRANGER],
  ]);
  socket.close();
});

Deno.test("a gather that nobody could be asked by throws why, and otherwise goes on", async () => {
  const { clock, carrier, socket } = clockedBound();
  carrier.onSend = () =>
    Promise.reject(new Deno.errors.NetworkUnreachable("no route"));
  await assertRejects(
    () => socket.gather("who?", [PEER, STRANGER]).next(),
    Deno.errors.NetworkUnreachable,
    "no route",
  );
  assertEquals(clock.timers, 0);
  carrier.onSend = (data, to) =>
    "port" in to && to.port === PEER.port
      ? Promise.reject(new Deno.errors.NetworkUnreachable("no route"))
      : Promise.resolve(data.length);
  const first = socket.gather("who?", [PEER, STRANGER]).next();
  assertEquals(await isPending(first), true);
  carrier.deliver("me", STRANGER);
  assertEquals((await first).value?.text(), "me");
  assertEquals(socket.stats.sendFailed, 3);
  socket.close();
});

Deno.test("a wrong address is thrown at the call, and nothing is sent", () => {
  const { carrier, socket } = clockedBound();
  for (const to of ["nonsense", ["udp://127.0.0.1:9", "tcp://127.0.0.1:9"]]) {
    assertThrows(() => socket.gather("x", to), InvalidAddressError);
  }
  assertThrows(
    () => socket.gather("x", 5 as unknown as string),
    InvalidAddressError,
  );
  assertEquals(carrier.sent, []);
  socket.close();
});

Deno.test("a gather to a group, a broadcast address and a list, on a simulated network", async () => {
  const network = simulateNetwork({ delayMs: { min: 1, max: 50 }, seed: 3 });
  await network.run(async () => {
    const hosts = Array.from({ length: 9 }, (_, i) => `10.0.0.${i + 1}`);
    const group = "239.1.2.3";
    const servers = hosts.map((host) => {
      const server = network.dgram(host).createSocket("udp4");
      server.on("message", (_, { port, address }) => {
        server.send("me", port, address);
        server.send("me again", port, address);
      });
      return server.bind(99, () => server.addMembership(group));
    });
    await Promise.all(
      servers.map((server) => once(server as never, "listening")),
    );
    const carrier = network.host("10.0.0.100");
    await using socket = bind("udp://10.0.0.100:0", { carrier });
    const list = hosts.map((host) => `udp://${host}:99`);
    const asked = [`udp://${group}:99`, "udp://10.0.0.255:99", list];
    for (const to of asked) {
      const from: string[] = [];
      const options = { forMs: 1000, unique: "peer" } as const;
      for await (const reply of socket.gather("who?", to, options)) {
        from.push(reply.from.hostname);
      }
      assertEquals(from.toSorted(), hosts);
      // The second replies are for whoever receives.
      for (const _ of hosts) await socket.receive({ timeoutMs: 1000 });
      assertEquals(socket.stats.waiting, 0);
    }
    for (const server of servers) server.close();
  });
});

Deno.test("a gather keeps its peer apart from others with the same port", async () => {
  const { clock, carrier, socket } = clockedBound();
  const all = texts(socket.gather("who?", net("10.0.0.1", 5), { forMs: 10 }));
  await turn();
  carrier.deliver("no", net("10.0.0.2", 5));
  carrier.deliver("yes", net("10.0.0.1", 5));
  await turn();
  clock.advance(10);
  assertEquals(await all, ["yes"]);
  assertEquals(socket.stats.waiting, 1);
  socket.close();
});
