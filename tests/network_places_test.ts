import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bind, connect, InvalidAddressError } from "../mod.ts";
import { simulateNetwork, withSockets } from "../lib/testing/mod.ts";
import type { SimulatedNetwork } from "../lib/testing/mod.ts";

Deno.test("a partition drops everything in both directions until it is healed", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    await using server = bind("udp://10.0.0.1:1", { carrier: network });
    await using client = await connect(server.addr, {
      carrier: network.host("10.0.0.2"),
    });
    const exchange = async () => {
      await client.send("there");
      await server.send("back", client.addr);
      const came = [server, client].map((socket) =>
        socket.receive({ timeoutMs: 10 }).then(() => true, () => false)
      );
      return await Promise.all(came);
    };
    network.partition("10.0.0.1", "10.0.0.2");
    assertEquals(await exchange(), [false, false]);
    assertEquals(network.trace.map(({ fate }) => fate), [
      "partitioned",
      "partitioned",
    ]);
    network.heal("10.0.0.2", "10.0.0.1");
    assertEquals(await exchange(), [true, true]);
    network.partition("10.0.0.1:1", "10.0.0.2");
    assertEquals(await exchange(), [false, false]);
    network.heal();
    assertEquals(await exchange(), [true, true]);
    assertEquals(network.stats.lost, 4);
  });
});

/** Whether a datagram passes from a host to a server on the other. */
async function passes(
  network: SimulatedNetwork,
  from: string,
  to: string,
): Promise<boolean> {
  await using server = bind(to, { carrier: network });
  await using client = await connect(server.addr, {
    carrier: network.host(from),
  });
  await client.send("x");
  return await server.receive({ timeoutMs: 10 }).then(() => true, () => false);
}

// A place, a host that it names, and the address of a socket there.
const SPELLINGS: [string, string, string][] = [
  ["2001:db8:0:0:0:0:0:1", "2001:db8::1", "udp://[2001:db8::1]:53"],
  ["2001:DB8::1", "2001:db8::1", "udp://[2001:db8::1]:53"],
  ["[2001:db8::1]", "2001:db8:0::1", "udp://[2001:db8:0:0::1]:53"],
  ["[2001:db8::1]:53", "2001:db8::1", "udp://[2001:db8::1]:53"],
  ["udp://[2001:db8:0::1]:53", "2001:db8::1", "udp://[2001:db8::1]:53"],
  ["localhost", "127.0.0.1", "udp://127.0.0.1:53"],
  ["LOCALHOST:53", "localhost", "udp://localhost:53"],
  ["localhost", "::1", "udp://[::1]:53"],
  ["::ffff:10.0.0.1", "10.0.0.1", "udp://10.0.0.1:53"],
  ["10.0.0.1", "::ffff:10.0.0.1", "udp://[::ffff:10.0.0.1]:53"],
  ["fe80::1", "fe80::1%eth0", "udp://[fe80::1%eth0]:53"],
  ["Web:53", "web", "udp://WEB:53"],
];
for (const [place, host, address] of SPELLINGS) {
  Deno.test(`${place} names ${address} in partitions, heal and set`, async () => {
    const network = simulateNetwork();
    await network.run(async () => {
      network.partition(place, "10.0.0.9");
      assertEquals(await passes(network, "10.0.0.9", address), false);
      network.heal(place);
      assertEquals(await passes(network, "10.0.0.9", address), true);
      network.set({ loss: 1 }, { to: place });
      assertEquals(await passes(network, "10.0.0.9", address), false);
      network.set({ loss: 0 }, { to: place });
      network.partition("10.0.0.9", host);
      assertEquals(await passes(network, "10.0.0.9", address), false);
      network.heal();
      assertEquals(await passes(network, host, "udp://10.0.0.9:9"), true);
    });
  });
}

for (
  const [from, to] of [
    ["udp://localhost:53", "udp://127.0.0.1:53"],
    ["udp://127.0.0.1:53", "udp://localhost:53"],
    ["udp://[::ffff:127.0.0.1]:53", "udp://localhost:53"],
  ] as const
) {
  Deno.test(`a socket that is bound to ${from} is reached as ${to}`, async () => {
    const network = simulateNetwork();
    await network.run(async () => {
      await using server = bind(from, { carrier: network });
      await using client = await connect(to, { carrier: network });
      await using other = bind("udp://127.0.0.1:9", { carrier: network });
      await client.send("a");
      await other.send("b", to);
      for (const text of ["a", "b"]) {
        const datagram = await server.receive();
        assertEquals(datagram.text(), text);
        await server.send("back", datagram.from);
      }
      assertEquals((await client.receive()).text(), "back");
      assertEquals(server.addr.hostname, "127.0.0.1");
      assertThrows(() => bind(to, { carrier: network }), Deno.errors.AddrInUse);
    });
  });
}

for (
  const place of [
    "10.0.0.999",
    "10.0.0.1:70000",
    "10.0.0.1:0",
    "0.0.0.0",
    "[::]:53",
    "tcp://10.0.0.1:53",
    "unix:/tmp/pli.sock",
    "no host",
    "[10.0.0.1]",
    "",
  ]
) {
  Deno.test(`a place that no socket can have is rejected: "${place}"`, () => {
    const network = simulateNetwork();
    for (
      const give of [
        () => network.partition(place, "10.0.0.1"),
        () => network.partition("10.0.0.1", place),
        () => network.heal(place),
        () => network.set({ loss: 1 }, { from: place }),
        () => network.set({ loss: 1 }, { to: place }),
        () => network.host(place),
      ]
    ) assertThrows(give, InvalidAddressError, place);
  });
}

Deno.test("a host with a port is rejected", () => {
  assertThrows(
    () => simulateNetwork().host("10.0.0.1:53"),
    InvalidAddressError,
  );
});

Deno.test("a partition also drops the datagrams that are in flight", async () => {
  const network = simulateNetwork({ delayMs: { min: 100, max: 100 } });
  await network.run(() =>
    withSockets(async (socket, client) => {
      await client.send("in flight");
      network.partition("127.0.0.1", "127.0.0.1");
      await assertRejects(
        () => socket.receive({ timeoutMs: 500 }),
        Deno.errors.TimedOut,
      );
      assertEquals(network.trace.map(({ fate, time }) => [fate, time]), [
        ["partitioned", 100],
      ]);
      await client.send("healed in flight");
      network.heal();
      await client.send("after");
      assertEquals((await socket.receive()).text(), "after");
      assertEquals([network.stats.lost, network.stats.inFlight], [2, 0]);
    }, { carrier: network })
  );
});

Deno.test("heal of one host ends all its partitions, and no others", async () => {
  const network = simulateNetwork();
  const between = (from: string, to: string) =>
    passes(network, from, `udp://${to}:53`);
  await network.run(async () => {
    network.partition("10.0.0.1", "10.0.0.2");
    network.partition("10.0.0.3", "10.0.0.1:53");
    network.partition("10.0.0.2", "10.0.0.3");
    network.heal("10.0.0.1:53");
    assertEquals(await between("10.0.0.3", "10.0.0.1"), true);
    assertEquals(await between("10.0.0.2", "10.0.0.1"), false);
    network.heal("10.0.0.1");
    assertEquals(await between("10.0.0.2", "10.0.0.1"), true);
    assertEquals(await between("10.0.0.2", "10.0.0.3"), false);
    network.heal("10.0.0.3", "10.0.0.2");
    assertEquals(await between("10.0.0.2", "10.0.0.3"), true);
  });
});
