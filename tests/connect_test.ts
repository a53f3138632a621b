import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  bind,
  type BindOptions,
  connect,
  ConnectedSocket,
  DatagramSocket,
  InvalidAddressError,
} from "../mod.ts";
import { FakeCarrier, fakeClient, sourceOf } from "./support/fakes.ts";
import { LOOPBACK, net, PEER, SOON, STRANGER } from "./support/helpers.ts";

for (
  const [what, address] of [
    ["the unspecified address", "udp://0.0.0.0:5"],
    ["IPv6's unspecified address", "udp://[::]:5"],
    ["a mapped unspecified address", "udp://[::ffff:0.0.0.0]:5"],
    ["the first multicast address", "udp://224.0.0.0:5"],
    ["the last multicast address", "udp://239.255.255.255:5"],
    ["an IPv6 multicast address", "udp://[ff02::1]:5"],
    ["a mapped multicast address", "udp://[::ffff:224.0.0.1]:5"],
    ["the broadcast address", "udp://255.255.255.255:5"],
    ["loopback's broadcast address", "udp://127.255.255.255:5"],
    ["port 0", "udp://127.0.0.1:0"],
    ["text that is not an address", "nonsense"],
  ] as const
) {
  Deno.test(`connect rejects ${what}`, async () => {
    await assertRejects(() => connect(address), InvalidAddressError);
  });
}

Deno.test("a connected socket knows both addresses", async () => {
  await using peer = bind(LOOPBACK);
  await using client = await connect(peer.addr);
  assertEquals(client.remote, peer.addr);
  assertEquals(client.addr.hostname, "127.0.0.1");
  assert(client.addr.port > 0);
});

Deno.test("connect binds as narrowly as the peer allows", async () => {
  const hosts: string[] = [];
  // 203.0.113.0/24 and 2001:db8::/32 are for documentation; nothing is sent.
  for (
    const peer of ["127.9.9.9", "203.0.113.1", "[::1]", "[2001:db8::1]"]
  ) {
    await using client = await connect(`udp://${peer}:5`);
    hosts.push(client.addr.hostname);
  }
  assertEquals(hosts, ["127.0.0.1", "0.0.0.0", "::1", "::"]);
});

Deno.test("a stranger's datagram is counted, not delivered", async () => {
  await using peer = bind(LOOPBACK);
  await using stranger = bind(LOOPBACK);
  await using client = await connect(peer.addr);
  await stranger.send("psst", client.addr);
  await peer.send("hello", client.addr);
  assertEquals((await client.receive(SOON)).text(), "hello");
  assertEquals(client.stats.dropped["stranger"], 1);
  assertEquals(client.stats.received, 1);
});

Deno.test("a stranger's datagram neither ends a receive nor a request", async () => {
  const { carrier, socket } = fakeClient();
  const request = socket.request("ping", SOON);
  const receiving = socket.receive(SOON);
  for (let i = 0; i < 1000; i++) carrier.deliver("psst", STRANGER);
  carrier.deliver("reply");
  carrier.deliver("more");
  assertEquals((await request).text(), "reply");
  assertEquals((await receiving).text(), "more");
  assertEquals(socket.stats.dropped["stranger"], 1000);
  assertEquals(socket.stats.waiting, 0);
  await socket[Symbol.asyncDispose]();
});

const SOURCES: [remote: string, from: string, same: boolean][] = [
  ["127.0.0.1", "127.0.0.1", true],
  ["127.0.0.1", "::ffff:127.0.0.1", true],
  ["::ffff:127.0.0.1", "127.0.0.1", true],
  ["127.0.0.1", "127.0.0.2", false],
  ["127.0.0.1", "::ffff:127.0.0.2", false],
  ["127.0.0.1", "::1", false],
  ["fe80::1%eth0", "fe80::1", true],
  ["fe80::1%2", "fe80::1%2", true],
  ["fe80::1", "fe80::2", false],
  ["::ffff:1", "1", false],
];

for (const [remote, from, same] of SOURCES) {
  Deno.test(`for a peer at ${remote}, ${from} is ${same ? "the peer" : "a stranger"}`, async () => {
    const { carrier, socket } = fakeClient({ remote: net(remote, 5) });
    carrier.deliver("it", net(from, 5));
    carrier.deliver("another port", net(from, 6));
    carrier.deliver("last", net(remote, 5));
    const first = await socket.receive(SOON);
    assertEquals(first.text(), same ? "it" : "last");
    if (same) assertEquals((await socket.receive(SOON)).text(), "last");
    assertEquals(socket.stats.dropped["stranger"], same ? 1 : 2);
    await socket[Symbol.asyncDispose]();
  });
}

Deno.test("a datagram without a host is from a stranger", async () => {
  const { carrier, socket } = fakeClient();
  carrier.deliver("a", { transport: "unixpacket", path: "/a" });
  carrier.deliver("b");
  assertEquals((await socket.receive(SOON)).text(), "b");
  assertEquals(socket.stats.dropped["stranger"], 1);
  await socket[Symbol.asyncDispose]();
});

Deno.test("every spelling of a peer's address connects to it", async () => {
  await using peer = bind(LOOPBACK);
  await using peer6 = bind("udp://[::1]:0");
  for (
    const [socket, address] of [
      [peer, `:${peer.addr.port}`],
      [peer, `127.0.0.1:${peer.addr.port}`],
      [peer6, `udp://[0:0::0:1]:${peer6.addr.port}`],
      [peer6, `[::0001]:${peer6.addr.port}`],
    ] as const
  ) {
    await using client = await connect(address);
    await client.send("ping");
    await socket.send("pong", (await socket.receive(SOON)).from);
    assertEquals((await client.receive(SOON)).text(), "pong");
    assertEquals(client.stats.dropped["stranger"], 0);
  }
});

for (const [family, host] of [[4, "127.0.0.1"], [6, "::1"]] as const) {
  Deno.test(`with family ${family} localhost is ${host}, for bind, connect and send`, async () => {
    await using peer = bind("udp://localhost:0", { family });
    assertEquals(peer.addr.hostname, host);
    const { port } = peer.addr;
    await using client = await connect(`localhost:${port}`, { family });
    assertEquals(client.remote, net(host, port));
    await client.send("ping");
    assertEquals((await peer.receive(SOON)).text(), "ping");
    await peer.send("self", `localhost:${port}`);
    assertEquals((await peer.receive(SOON)).text(), "self");
  });
}

Deno.test("without a family localhost is the system's choice", async () => {
  await using client = await connect("localhost:5");
  assert(["127.0.0.1", "::1"].includes(client.remote.hostname));
});

Deno.test("an address of the other family is rejected", async () => {
  await assertRejects(
    () => connect("[::1]:5", { family: 4 }),
    Deno.errors.AddrNotAvailable,
    "Cannot connect to udp://[::1]:5: ::1 is an address of IPv6, not of IPv4",
  );
  assertThrows(
    () => bind(LOOPBACK, { family: 6 }),
    Deno.errors.AddrNotAvailable,
    "Cannot bind udp://127.0.0.1:0: ",
  );
});

Deno.test("a family that is neither 4 nor 6 is a RangeError", async () => {
  for (const family of [0, 5, "4", null] as unknown as 4[]) {
    assertThrows(() => bind(LOOPBACK, { family }), RangeError, "4 or 6");
    await assertRejects(
      () => connect("127.0.0.1:5", { family }),
      RangeError,
      "4 or 6",
    );
  }
});

for (
  const [name, address, options] of [
    ["family, given a carrier", LOOPBACK, { family: 4 }],
    ["reuseAddress, given a carrier", LOOPBACK, { reuseAddress: true }],
    ["reuseAddress: false, given a carrier", LOOPBACK, { reuseAddress: false }],
    ["family of a unix socket", "unix:/nowhere/a.sock", { family: 4 }],
    [
      "reuseAddress of a unix socket",
      "unix:/nowhere/a.sock",
      { reuseAddress: true },
    ],
  ] as [string, string, BindOptions][]
) {
  Deno.test(`an option of no use is a TypeError: ${name}`, () => {
    const carrier = address === LOOPBACK
      ? sourceOf(new FakeCarrier({}))
      : undefined;
    assertThrows(
      () => bind(address, { ...options, carrier }),
      TypeError,
      `${Object.keys(options)[0]} is an option of Deno's own UDP`,
    );
  });
}

Deno.test("connect rejects an option of no use", async () => {
  const carrier = sourceOf(new FakeCarrier({}));
  await assertRejects(
    () => connect("127.0.0.1:5", { carrier, family: 4 }),
    TypeError,
    "family is an option of Deno's own UDP",
  );
  await assertRejects(
    () => connect("unix:/nowhere/a.sock", { family: 4 }),
    TypeError,
    "family is an option of Deno's own UDP",
  );
});

Deno.test("bind and connect use the carrier in their options", async () => {
  const carrier = new FakeCarrier({});
  const bound = bind("udp://127.0.0.1:62000", { carrier: sourceOf(carrier) });
  assert(bound instanceof DatagramSocket);
  assertEquals(bound.addr, carrier.addr);
  bound.close();
  const second = new FakeCarrier({});
  const client = await connect(PEER, { carrier: sourceOf(second) });
  assert(client instanceof ConnectedSocket);
  await client.send("x");
  assertEquals(second.sent[0]?.to, PEER);
  client.close();
});

Deno.test("a carrier's remote is the peer, whatever was dialed", async () => {
  const carrier = Object.assign(new FakeCarrier({}), { remote: PEER });
  const client = await connect("udp://some.name:7", {
    carrier: sourceOf(carrier),
  });
  assertEquals(client.remote, PEER);
  client.close();
});

Deno.test("a source that cannot dial cannot connect", async () => {
  const { listen } = sourceOf(new FakeCarrier({}));
  await assertRejects(
    () => connect(PEER, { carrier: { listen } }),
    Deno.errors.NotSupported,
    "Cannot connect to udp://127.0.0.1:40000: its carrier can only listen",
  );
});

Deno.test("an error of a source keeps its class and is the cause", async () => {
  const cause = new Deno.errors.ConnectionReset("gone");
  const carrier = {
    listen() {
      throw cause;
    },
    dial: () => Promise.reject(cause),
  };
  const thrown = assertThrows(
    () => bind(LOOPBACK, { carrier }),
    Deno.errors.ConnectionReset,
    "Cannot bind udp://127.0.0.1:0: gone",
  );
  assertStrictEquals(thrown.cause, cause);
  await assertRejects(
    () => connect(PEER, { carrier }),
    Deno.errors.ConnectionReset,
    "Cannot connect to udp://127.0.0.1:40000: gone",
  );
});

Deno.test("two sockets share an address only with reuseAddress", async () => {
  await using first = bind(LOOPBACK, { reuseAddress: true });
  await using second = bind(first.addr, { reuseAddress: true });
  assertEquals(second.addr, first.addr);
  assertThrows(() => bind(first.addr), Deno.errors.AddrInUse);
});
