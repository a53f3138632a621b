import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  bind,
  connect,
  type Data,
  DatagramSocket,
  InvalidAddressError,
  MessageTooLargeError,
} from "../mod.ts";
import { fakeBound, FakeCarrier, fakeClient } from "./support/fakes.ts";
import {
  LOCAL,
  LOOPBACK,
  net,
  pattern,
  PEER,
  SOON,
} from "./support/helpers.ts";

const LIMITS: [host: string, limit: number][] = [
  ["127.0.0.1", 65_507],
  ["::1", 65_527],
  ["::ffff:127.0.0.1", 65_507],
  ["fe80::1%eth0", 65_527],
];

for (const [host, limit] of LIMITS) {
  Deno.test(`to ${host} ${limit} bytes are sent, and one more is rejected`, async () => {
    const { carrier, socket } = fakeBound();
    await socket.send(pattern(limit), net(host, 5));
    assertEquals(carrier.sent.length, 1);
    await assertRejects(
      () => socket.send(pattern(limit + 1), net(host, 5)),
      MessageTooLargeError,
      `Cannot send ${limit + 1} bytes to udp://`,
    );
    assertEquals(carrier.sent.length, 1);
    const { sent, sentBytes, sendFailed } = socket.stats;
    assertEquals([sent, sentBytes, sendFailed], [1, limit, 1]);
    socket.close();
  });
}

Deno.test("an IPv6 socket has IPv4's limit to an IPv4 address", async () => {
  const carrier = new FakeCarrier({ addr: net("::", 62_000) });
  await using socket = new DatagramSocket(carrier);
  await assertRejects(
    () => socket.send(pattern(65_508), net("127.0.0.1", 5)),
    MessageTooLargeError,
    "at most 65507",
  );
  assertEquals(carrier.sent, []);
});

Deno.test("a message that is too large does not arrive, the next one does", async () => {
  await using socket = bind(LOOPBACK);
  await using client = await connect(socket.addr);
  const error = await assertRejects(
    () => client.send(pattern(65_508)),
    MessageTooLargeError,
    "at most 65507",
  );
  assertInstanceOf(error, RangeError);
  await client.send("next");
  assertEquals((await socket.receive(SOON)).text(), "next");
  assertEquals(socket.stats.received, 1);
});

Deno.test("65,527 bytes arrive complete over IPv6", async () => {
  await using socket = bind("udp://[::1]:0");
  await using client = await connect(socket.addr);
  await client.send(pattern(65_527));
  const { data, truncated, from } = await socket.receive(SOON);
  assertEquals(data, pattern(65_527));
  assertEquals(truncated, false);
  assertEquals(from.hostname, "::1");
  await socket.send("pong", from);
  assertEquals((await client.receive(SOON)).text(), "pong");
});

Deno.test("an IPv6 socket has IPv6's limit to a name", async () => {
  await using socket = bind("udp://[::1]:0");
  await socket.send(pattern(65_527), net("localhost", socket.addr.port));
  assertEquals((await socket.receive(SOON)).data, pattern(65_527));
});

Deno.test("the carrier's own limit is the limit", async () => {
  class Small extends FakeCarrier {
    maxSize(to: Deno.Addr) {
      return "port" in to && to.port === 1 ? 10 : 20;
    }
  }
  const carrier = new Small({});
  await using socket = new DatagramSocket(carrier);
  await socket.send(pattern(10), net("127.0.0.1", 1));
  await socket.send(pattern(20), net("127.0.0.1", 2));
  await assertRejects(
    () => socket.send(pattern(11), net("127.0.0.1", 1)),
    MessageTooLargeError,
    "at most 10",
  );
  assertEquals(carrier.sent.length, 2);
});

Deno.test("the limit is in bytes, not characters", async () => {
  const { carrier, socket } = fakeBound();
  await socket.send("é".repeat(32_753), PEER);
  await assertRejects(
    () => socket.send("é".repeat(32_754), PEER),
    MessageTooLargeError,
    "65508 bytes",
  );
  assertEquals(carrier.sent.length, 1);
  socket.close();
});

Deno.test("text is sent as UTF-8, bytes as they are, empty data as an empty datagram", async () => {
  const { carrier, socket } = fakeBound();
  await socket.send("é\ud800", PEER);
  const view = new Uint8Array([9, 1, 2, 9]).subarray(1, 3);
  await socket.send(view, PEER);
  await socket.send("", PEER);
  await socket.send(new Uint8Array(0), PEER);
  assertEquals(carrier.sent.map(({ data }) => [...data]), [
    [0xc3, 0xa9, 0xef, 0xbf, 0xbd],
    [1, 2],
    [],
    [],
  ]);
  assertEquals(socket.stats.sentBytes, 7);
  socket.close();
});

Deno.test("send takes an address as text, as an object, and from a datagram", async () => {
  await using socket = bind(LOOPBACK);
  const { port } = socket.addr;
  await socket.send("a", `127.0.0.1:${port}`);
  await socket.send("b", net("127.0.0.1", port));
  const { from } = await socket.receive(SOON);
  await socket.send("c", from);
  await socket.send("d", `udp://localhost:${port}`);
  const got = [];
  for (let i = 0; i < 3; i++) got.push((await socket.receive(SOON)).text());
  assertEquals(got, ["b", "c", "d"]);
});

for (
  const [name, to] of [
    ["port 0", "127.0.0.1:0"],
    ["port 0 of an object", net("127.0.0.1", 0)],
    ["a port beyond 65,535", net("127.0.0.1", 70_000)],
    ["a port that is not a whole number", net("127.0.0.1", 1.5)],
    ["an empty host", net("", 5)],
    ["text that is not an address", "nonsense"],
    ["undefined", undefined],
    ["null", null],
    ["an empty object", {}],
    ["another scheme", "ftp://127.0.0.1:5"],
    ["an empty path", { transport: "unixpacket", path: "" }],
  ] as const
) {
  Deno.test(`sending to ${name} is an InvalidAddressError, counted as failed`, async () => {
    const { carrier, socket } = fakeBound();
    await assertRejects(
      () => socket.send("x", to as Deno.NetAddr),
      InvalidAddressError,
    );
    assertEquals(carrier.sent, []);
    assertEquals(socket.stats.sendFailed, 1);
    socket.close();
  });
}

Deno.test("a host that was accepted before makes no wrong port or scheme valid", async () => {
  const { carrier, socket } = fakeBound();
  await socket.send("x", PEER);
  for (
    const wrong of [
      { port: 0 },
      { port: 70_000 },
      { port: 1.5 },
      { port: "5" },
      { transport: "tcp" },
      { scheme: "quic" },
      { hostname: "127.0.0.1 " },
      { hostname: 5 },
    ]
  ) {
    const to = { ...PEER, ...wrong } as Deno.NetAddr;
    await assertRejects(() => socket.send("x", to), InvalidAddressError);
  }
  assertEquals(carrier.sent.length, 1);
  socket.close();
});

Deno.test("a carrier gets each address in its canonical form", async () => {
  const { carrier, socket } = fakeBound();
  const given = ["0:0::1", "FE80:0::1%eth0", "10.0.0.1", "Host.example"];
  for (let round = 0; round < 2; round++) {
    for (const host of given) await socket.send("x", net(host, 5));
  }
  const canonical = ["::1", "fe80::1%eth0", "10.0.0.1", "Host.example"];
  assertEquals(
    carrier.sent.map(({ to }) => to),
    [...canonical, ...canonical].map((host) => net(host, 5)),
  );
  socket.close();
});

Deno.test("sending to a unix peer without a path is NotSupported", async () => {
  const { carrier, socket } = fakeBound();
  const unnamed = { transport: "unixpacket", path: null };
  await assertRejects(
    () => socket.send("x", unnamed as unknown as Deno.UnixAddr),
    Deno.errors.NotSupported,
    "not bound to a path",
  );
  assertEquals(carrier.sent, []);
  assertEquals(socket.stats.sendFailed, 1);
  socket.close();
});

Deno.test("data that is neither text nor bytes is a TypeError, and the socket goes on", async () => {
  const { carrier, socket } = fakeClient();
  for (const data of [undefined, null, 7, {}, [1], new ArrayBuffer(2)]) {
    await assertRejects(
      () => socket.send(data as unknown as Data),
      TypeError,
      "data must be a string or a Uint8Array",
    );
  }
  await socket.send("x");
  assertEquals(carrier.sentTexts, ["x"]);
  assertEquals(socket.stats.sendFailed, 6);
  socket.close();
});

Deno.test("an error of a carrier's send keeps its class, and names both addresses", async () => {
  const { carrier, socket } = fakeClient();
  const cause = new Deno.errors.ConnectionRefused("nobody there");
  carrier.onSend = () => Promise.reject(cause);
  const error = await assertRejects(
    () => socket.send("abc"),
    Deno.errors.ConnectionRefused,
  );
  assertEquals(
    error.message,
    "Cannot send 3 bytes from udp://127.0.0.1:62000 to udp://127.0.0.1:40000: nobody there",
  );
  assertStrictEquals(error.cause, cause);
  carrier.onSend = (data) => Promise.resolve(data.length);
  await socket.send("d");
  const { sent, sendFailed } = socket.stats;
  assertEquals([sent, sendFailed], [1, 1]);
  socket.close();
});

Deno.test("a carrier's send that throws is a rejection", async () => {
  const { carrier, socket } = fakeClient();
  carrier.onSend = () => {
    throw new Deno.errors.Busy("not now");
  };
  await assertRejects(() => socket.send("abc"), Deno.errors.Busy, "not now");
  assertEquals(socket.stats.sendFailed, 1);
  socket.close();
});

Deno.test("the messages of errors have the carrier's address", async () => {
  const { carrier, socket } = fakeBound();
  carrier.onSend = () => Promise.reject(new Error("no"));
  await assertRejects(
    () => socket.send("x", PEER),
    Error,
    `from udp://${LOCAL.hostname}:${LOCAL.port} to`,
  );
  socket.close();
});
