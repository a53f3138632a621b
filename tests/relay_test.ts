import { assert, assertEquals, assertThrows } from "@std/assert";
import { connect, InvalidAddressError, serve } from "../mod.ts";
import type { Faults } from "../lib/testing/faults.ts";
import { flipBit, Link, seedOf } from "../lib/testing/link.ts";
import { startRelay } from "../lib/testing/mod.ts";
import { LOOPBACK, pattern, random, SOON, until } from "./support/helpers.ts";
import { assertAddsUp, numbers, pass, route, texts } from "./support/relays.ts";

const MIX = { loss: 0.2, duplicate: 0.2, corrupt: 0.2, mtu: 900 };

Deno.test("each client gets an upstream port of its own, so replies find their way back", async () => {
  const ports = new Set<number>();
  await using server = serve(LOOPBACK, ({ data, from }) => {
    ports.add(from.port);
    return data;
  });
  await using relay = startRelay({ listen: LOOPBACK, to: server.addr });
  await using a = await connect(relay.addr);
  await using b = await connect(relay.addr);
  await using c = await connect(relay.addr);
  const clients = [a, b, c];
  for (const round of ["first", "second"]) {
    await Promise.all(clients.map((client, n) => client.send(`${round} ${n}`)));
    for (const [n, client] of clients.entries()) {
      assertEquals((await client.receive(SOON)).text(), `${round} ${n}`);
    }
  }
  assertEquals(ports.size, 3);
  const { sessions, up, down } = relay.stats;
  assertEquals([sessions, up.forwarded, down.forwarded], [3, 6, 6]);
});

Deno.test("the address and the numbers of a relay may be changed, without effect", async () => {
  await using path = await route({});
  const { port } = path.relay.addr;
  path.relay.addr.port = 9;
  Object.assign(path.relay.stats.up, { received: 7 });
  assertEquals(path.relay.addr.port, port);
  assertEquals(path.relay.stats.up.received, 0);
});

Deno.test("without faults 2,000 datagrams of all sizes pass in order, to the byte", async () => {
  const below = random(1);
  const messages = Array.from(
    { length: 2000 },
    (_, n) => pattern(n < 1000 ? n : below(1400)),
  );
  await using path = await route();
  await pass(path, messages);
  assertEquals(path.arrived, messages);
  const { up, down } = path.relay.stats;
  assertEquals([up.received, up.forwarded, down.received], [2000, 2000, 0]);
});

Deno.test("without faults 2,000 replies pass in order, to the byte", async () => {
  await using server = serve(LOOPBACK, ({ data }) => data);
  await using relay = startRelay({ listen: LOOPBACK, to: server.addr });
  await using client = await connect(relay.addr);
  for (let sent = 0; sent < 2000; sent += 20) {
    const burst = Array.from({ length: 20 }, (_, n) => pattern(sent + n));
    await Promise.all(burst.map((message) => client.send(message)));
    for (const message of burst) {
      assertEquals((await client.receive(SOON)).data, message);
    }
  }
  const { up, down } = relay.stats;
  assertEquals([up.forwarded, down.forwarded], [2000, 2000]);
});

Deno.test("empty datagrams and the longest pass unchanged", async () => {
  const messages = [pattern(0), pattern(65_507), pattern(0)];
  await using path = await route();
  await pass(path, messages);
  assertEquals(path.arrived, messages);
});

Deno.test("at loss 1 nothing passes, and everything is counted as lost", async () => {
  await using path = await route({ loss: 1 });
  await pass(path, numbers(500));
  const { up } = path.relay.stats;
  assertEquals([up.received, up.lost, up.forwarded], [500, 500, 0]);
  assertEquals(path.arrived, []);
});

for (const seed of [1, 2, 3]) {
  Deno.test(`whatever the faults, received and duplicated are the sum of the fates (seed ${seed})`, async () => {
    const delayMs = { min: 0, max: 5 };
    const bandwidth = 1e9;
    await using path = await route({
      ...MIX,
      ...{ seed, delayMs, bandwidth, queue: 50, reorder: 0.2 },
    });
    const messages = Array.from({ length: 600 }, (_, n) => pattern(n * 2));
    const passing = pass(path, messages);
    await until(() => {
      assertAddsUp(path.relay.stats.up);
      return path.relay.stats.up.received === 600;
    });
    await passing;
    const { up } = path.relay.stats;
    assertAddsUp(up);
    assertEquals(up.forwarded, path.arrived.length);
    for (const fate of ["duplicated", "lost", "overMtu"] as const) {
      assert(up[fate] > 0, fate);
    }
  });
}

Deno.test("the same seed and the same datagrams have the same fates", async () => {
  const runs = [];
  for (const seed of [7, 7, 8]) {
    await using path = await route({ ...MIX, seed });
    await pass(path, numbers(1000));
    runs.push({ stats: path.relay.stats, arrived: path.arrived });
  }
  const [first, again, other] = runs;
  assertEquals(first, again);
  assert(first?.arrived.length !== other?.arrived.length);
});

Deno.test("a relay decides as a link of the simulated network does", async () => {
  const faults: Faults = { ...MIX, mtu: 80 };
  const messages = Array.from({ length: 1000 }, (_, n) => pattern(n % 100));
  const link = new Link(seedOf(5, "up 1"), faults);
  const expected = messages.flatMap((message) =>
    link.cross(message.length, 0)
      .filter(({ fate }) => fate === "passed")
      .map(({ flippedBit: bit }) =>
        bit === undefined ? message : flipBit(message, bit)
      )
  );
  await using path = await route({ ...faults, seed: 5 });
  await pass(path, messages);
  assertEquals(path.arrived, expected);
});

Deno.test("each client has random numbers of its own, by the order of arrival", async () => {
  await using path = await route({ loss: 0.5, seed: 3 });
  await using second = await connect(path.relay.addr);
  const passing = (name: string) => {
    const link = new Link(seedOf(3, name), { loss: 0.5 });
    return numbers(200).filter((n) =>
      link.cross(n.length, 0)[0].fate !== "lost"
    );
  };
  await pass(path, numbers(200));
  await pass({ ...path, client: second }, numbers(200));
  const expected = [...passing("up 1"), ...passing("up 2")];
  assertEquals(texts(path.arrived), expected);
});

Deno.test("faults change while the relay runs, in one direction or in both", async () => {
  await using server = serve(LOOPBACK, ({ data }) => data);
  await using relay = startRelay({ listen: LOOPBACK, to: server.addr });
  await using client = await connect(relay.addr);
  assertEquals((await client.request("both pass", SOON)).text(), "both pass");
  relay.set({ loss: 1 }, "down");
  await client.send("the reply is lost");
  await until(() => relay.stats.down.lost === 1);
  assertEquals(relay.stats.up.lost, 0);
  relay.set({ loss: 0 }, "down");
  relay.set({ loss: 1 }, "up");
  await client.send("lost on the way up");
  await until(() => relay.stats.up.lost === 1);
  relay.set({ loss: 0 });
  assertEquals((await client.request("again", SOON)).text(), "again");
  const { up, down } = relay.stats;
  assertEquals([up.received, up.forwarded, up.lost], [4, 3, 1]);
  assertEquals([down.received, down.forwarded, down.lost], [3, 2, 1]);
});

Deno.test("faults that are set apply to later clients too", async () => {
  await using path = await route();
  path.relay.set({ loss: 1 }, "up");
  await pass(path, ["lost"]);
  assertEquals(path.relay.stats.up.lost, 1);
});

Deno.test("at duplicate 1 each datagram arrives twice, one after the other", async () => {
  await using path = await route({ duplicate: 1 });
  await pass(path, numbers(500));
  assertEquals(texts(path.arrived), numbers(500).flatMap((n) => [n, n]));
  const { up } = path.relay.stats;
  assertEquals([up.received, up.duplicated, up.forwarded], [500, 500, 1000]);
});

Deno.test("at corrupt 1 exactly one bit of each datagram is flipped", async () => {
  const messages = Array.from({ length: 500 }, (_, n) => pattern(n + 1));
  await using path = await route({ corrupt: 1 });
  await pass(path, messages);
  for (const [n, message] of path.arrived.entries()) {
    const wrong = message.map((byte, i) => byte ^ messages[n]![i]!)
      .filter((byte) => byte !== 0);
    assertEquals(wrong.length, 1);
    assert([1, 2, 4, 8, 16, 32, 64, 128].includes(wrong[0]!), `${wrong}`);
  }
});

Deno.test("datagrams longer than the MTU are dropped, those as long pass", async () => {
  await using path = await route({ mtu: 500 });
  await pass(path, [pattern(500), pattern(501), pattern(0), pattern(1400)]);
  assertEquals(path.arrived, [pattern(500), pattern(0)]);
  assertEquals(path.relay.stats.up.overMtu, 2);
});

Deno.test("datagrams wait for bandwidth in a bounded queue", async () => {
  await using path = await route({ bandwidth: 1, queue: 3 });
  for (const n of numbers(10)) await path.client.send(n);
  await until(() => path.relay.stats.up.received === 10);
  const { inFlight, queueFull, forwarded } = path.relay.stats.up;
  assertEquals([inFlight, queueFull, forwarded], [3, 7, 0]);
});

for (
  const [what, faults] of Object.entries({
    "a delay": { delayMs: { min: 0, max: 20 } },
    "a bandwidth": { bandwidth: 10_000_000 },
    "both": { delayMs: { min: 1, max: 9 }, bandwidth: 10_000_000 },
  })
) {
  Deno.test(`${what} keeps the order`, async () => {
    await using path = await route({ ...faults, duplicate: 0.2 });
    await pass(path, numbers(300));
    const arrived = texts(path.arrived).map(Number);
    assertEquals(arrived, arrived.toSorted((a, b) => a - b));
    assertEquals(new Set(arrived).size, 300);
  });
}

Deno.test("with reorder some datagrams overtake others, and none is lost", async () => {
  await using path = await route({ reorder: 0.3 });
  await pass(path, numbers(300));
  const arrived = texts(path.arrived);
  assert(arrived.some((text, n) => text !== `${n}`));
  assertEquals(new Set(arrived), new Set(numbers(300)));
});

const REFUSED: [string, Record<string, unknown>, string][] = [
  ["loss 2", { loss: 2 }, "loss must be a number from 0 to 1: given 2"],
  ["seed 1.5", { seed: 1.5 }, "seed must be a whole number: given 1.5"],
  ["idleMs 0", { idleMs: 0 }, "idleMs must be a number above 0: given 0"],
  [
    "maxSessions NaN",
    { maxSessions: NaN },
    "maxSessions must be a whole number from 1: given NaN",
  ],
];
for (const [what, options, says] of REFUSED) {
  Deno.test(`${what} is rejected, and nothing is opened`, () => {
    const to = "udp://127.0.0.1:9";
    assertThrows(
      () => startRelay({ listen: LOOPBACK, to, ...options }),
      RangeError,
      says,
    );
  });
}

for (
  const [listen, to] of [
    [LOOPBACK, "udp://127.0.0.1:0"],
    [LOOPBACK, "nonsense"],
    [LOOPBACK, "unix:/tmp/pli.sock"],
    [LOOPBACK, "tcp://127.0.0.1:9"],
    ["quic://127.0.0.1:0", "udp://127.0.0.1:9"],
    ["unix:/tmp/pli.sock", "udp://127.0.0.1:9"],
    ["127.0.0.1:62000", "udp://127.0.0.1:62000"],
  ] as const
) {
  Deno.test(`a relay from ${listen} to ${to} is rejected`, () => {
    assertThrows(() => startRelay({ listen, to }), InvalidAddressError);
  });
}
