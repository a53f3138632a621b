import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bind, connect, dgram, errors } from "../mod.ts";
import { LOOPBACK, pattern, SOON, turn, until } from "./support/helpers.ts";

// What udp() does is tested by the tests of sockets, which run over dgram() on
// Node and on Bun, and by the contract.

Deno.test("a peer that refuses datagrams fails no send to another", async () => {
  const carrier = dgram();
  await using socket = bind(LOOPBACK, { carrier });
  await using peer = bind(LOOPBACK, { carrier });
  const gone = bind(LOOPBACK, { carrier });
  const { addr } = gone;
  await gone[Symbol.asyncDispose]();
  for (let i = 0; i < 50; i++) {
    await socket.send("x", addr);
    await turn();
    await socket.send(`${i}`, peer.addr);
    assertEquals((await peer.receive(SOON)).text(), `${i}`);
  }
  assertEquals(socket.stats.sendFailed, 0);
});

Deno.test("what does not fit is dropped and counted, the rest arrives in order", async () => {
  await using socket = bind(LOOPBACK, { carrier: dgram({ maxWaiting: 3 }) });
  await using peer = await connect(socket.addr, { carrier: dgram() });
  for (let i = 0; i < 10; i++) await peer.send(`${i}`);
  await until(() => socket.stats.dropped["queueFull"] === 7);
  for await (const batch of socket.batches(SOON)) {
    assertEquals(batch.map((datagram) => datagram.text()), ["0", "1", "2"]);
    break;
  }
  await peer.send("after");
  assertEquals((await socket.receive(SOON)).text(), "after");
  assertEquals(socket.stats.received, 4);
});

Deno.test("waiting datagrams are bounded in bytes, and one always fits", async () => {
  const carrier = dgram({ maxWaitingBytes: 65_536 });
  await using socket = bind(LOOPBACK, { carrier });
  await using peer = await connect(socket.addr, { carrier: dgram() });
  for (let i = 0; i < 3; i++) {
    await peer.send(pattern(60_000));
    await until(() =>
      i === 0 || (socket.stats.dropped["queueFull"] ?? 0) === i
    );
  }
  assertEquals((await socket.receive(SOON)).data, pattern(60_000));
  await peer.send(pattern(65_507));
  assertEquals((await socket.receive(SOON)).data, pattern(65_507));
});

Deno.test("what waits when the socket is closed is counted", async () => {
  const socket = bind(LOOPBACK, { carrier: dgram({ maxWaiting: 2 }) });
  await using peer = await connect(socket.addr, { carrier: dgram() });
  for (let i = 0; i < 3; i++) await peer.send("x");
  await until(() => socket.stats.dropped["queueFull"] === 1);
  await socket[Symbol.asyncDispose]();
  assertEquals(socket.stats.dropped["closed"], 2);
});

Deno.test("a socket that is closed while it sends settles every send", async () => {
  const carrier = dgram();
  await using peer = bind(LOOPBACK, { carrier });
  const socket = bind(LOOPBACK, { carrier });
  const sends = Array.from({ length: 100 }, () => socket.send("x", peer.addr));
  socket.close();
  await Promise.allSettled(sends);
  const { sent, sendFailed, sending } = socket.stats;
  assertEquals([sent + sendFailed, sending], [100, 0]);
});

Deno.test("a host name other than localhost cannot be bound, and says so", () => {
  const { message } = assertThrows(
    () => bind("udp://a.test:0", { carrier: dgram() }),
    errors.NotSupported,
  );
  assertEquals(
    message,
    "Cannot bind udp://a.test:0: node:dgram cannot look up a name at once; give an IP address of this machine",
  );
});

Deno.test("localhost is bound in the family that is asked for", async () => {
  for (const [family, host] of [[4, "127.0.0.1"], [6, "::1"]] as const) {
    const carrier = dgram({ family });
    await using socket = bind("udp://localhost:0", { carrier });
    assertEquals(socket.addr.hostname, host);
  }
});

Deno.test("an address of the other family is not bound", () => {
  assertThrows(
    () => bind("udp://[::1]:0", { carrier: dgram({ family: 4 }) }),
    errors.AddrNotAvailable,
    "::1 is an address of IPv6, not of IPv4",
  );
});

Deno.test("options out of range are rejected before anything is opened", () => {
  for (
    const [option, message] of [
      [{ maxWaiting: 0 }, "maxWaiting must be a whole number from 1"],
      [
        { maxWaitingBytes: 1 },
        "maxWaitingBytes must be a whole number from 65536",
      ],
      [{ ttl: 256 }, "ttl must be a whole number from 1 to 255"],
      [{ ttl: 0 }, "ttl must be a whole number from 1 to 255"],
      [
        { multicastTtl: -1 },
        "multicastTtl must be a whole number from 0 to 255",
      ],
      [{ receiveBuffer: -1 }, "receiveBuffer must be a whole number from 1"],
      [{ family: 5 as 4 }, "family must be 4 or 6"],
    ] as const
  ) assertThrows(() => dgram(option), RangeError, message);
  const text = "eth0" as unknown as number;
  assertThrows(() => dgram({ sendBuffer: text }), RangeError, "sendBuffer");
  for (
    const wrong of [
      { reuseAddress: 1 as unknown as true },
      { multicastInterface: 1 as unknown as string },
      { multicastLoopback: 1 as unknown as true },
    ]
  ) assertThrows(() => dgram(wrong), TypeError, "must be");
});

Deno.test("an interface that cannot be used is an error that ends nothing else", async () => {
  const carrier = dgram({ multicastInterface: "203.0.113.1" });
  await assertRejects(async () => {
    await using socket = bind(LOOPBACK, { carrier });
    await socket.opened;
  }, Error);
  await using socket = bind(LOOPBACK, { carrier: dgram() });
  await socket.send("x", socket.addr);
  assertEquals((await socket.receive(SOON)).text(), "x");
});

Deno.test("two sockets share an address with reuseAddress only", async () => {
  const carrier = dgram({ reuseAddress: true });
  await using socket = bind(LOOPBACK, { carrier });
  await using again = bind(socket.addr, { carrier });
  assertEquals(again.addr, socket.addr);
  assertThrows(
    () => bind(socket.addr, { carrier: dgram() }),
    errors.AddrInUse,
    "Address already in use",
  );
});

Deno.test("sockets open and close a hundred times at one address", async () => {
  const carrier = dgram();
  const first = bind(LOOPBACK, { carrier });
  const { addr } = first;
  await first[Symbol.asyncDispose]();
  for (let i = 0; i < 100; i++) {
    await using socket = bind(addr, { carrier });
    const receiving = socket.receive().catch((error) => error.name);
    if (i % 2 === 0) socket.close();
    else await turn();
    receiving.then((name) => assertEquals(name, "SocketClosedError"));
  }
});

Deno.test("a group is joined for one source only, and left", async () => {
  const group = "232.43.211.9";
  const on = { interface: "127.0.0.1" };
  const carrier = dgram({ multicastInterface: "127.0.0.1" });
  await using socket = bind("udp://0.0.0.0:0", { carrier });
  await using sender = bind(LOOPBACK, { carrier });
  const to = { ...socket.addr, hostname: group };
  const other = { ...on, source: "127.0.0.9" };
  await using _ = await socket.joinMulticast(group, other);
  await sender.send("not from there", to);
  const source = { ...on, source: "127.0.0.1" };
  const membership = await socket.joinMulticast(group, source);
  await sender.send("from there", to);
  assertEquals((await socket.receive(SOON)).text(), "from there");
  await membership.leave();
  await sender.send("left", to);
  await sender.send("to it", { ...socket.addr, hostname: "127.0.0.1" });
  assertEquals((await socket.receive(SOON)).text(), "to it");
});

Deno.test("a source is an address in the family of its group", async () => {
  await using socket = bind("udp://0.0.0.0:0", { carrier: dgram() });
  for (const source of ["::1", "a.test", "224.0.0.1", 1 as unknown as string]) {
    await assertRejects(
      () => socket.joinMulticast("232.43.211.9", { source }),
      RangeError,
      "source must be an address of a host in the group's family",
    );
  }
});
