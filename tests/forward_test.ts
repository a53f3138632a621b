/** The sink that forwards, over datagrams: counts, limits, senders and loops. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { bind, type NetAddr } from "../mod.ts";
import { collect } from "../lib/collect.ts";
import { forward } from "../lib/sinks/forward.ts";
import { simulateNetwork } from "../lib/testing/mod.ts";
import { LOOPBACK, net, SOON, until } from "./support/helpers.ts";
import {
  assertCounts,
  messagesOf,
  openForward,
  SENDER,
} from "./support/forwards.ts";

Deno.test("what a collector gets is forwarded to each destination, in order", async () => {
  await using first = bind(LOOPBACK);
  await using second = bind(LOOPBACK);
  await using socket = bind(LOOPBACK);
  const sinks = [
    await forward(first.addr, { socket }),
    await forward(second.addr, { socket }),
  ];
  const texts = ["Bonjour", "", "two\nlines"];
  const collector = collect(socket, { sinks, count: texts.length });
  await using client = bind(LOOPBACK);
  for (const text of texts) await client.send(text, socket.addr);
  for (const destination of [first, second]) {
    for (const text of texts) {
      const datagram = await destination.receive(SOON);
      assertEquals(datagram.text(), text);
      // A server there sees where it came from.
      assertEquals(datagram.from.port, socket.addr.port);
    }
  }
  assertEquals(await collector.finished, "count");
  for (const sink of sinks) assertCounts(sink, { forwarded: 3 });
  assertEquals(
    sinks[0]!.name,
    `forward:udp://127.0.0.1:${first.addr.port}`,
  );
});

Deno.test("a socket that cannot reach a destination leaves it to one of its own", async () => {
  await using destination = bind(LOOPBACK);
  await using socket = bind("udp://[::1]:0");
  const { sink } = await openForward(destination.addr, socket);
  sink.write(messagesOf(["Bonjour"]));
  const datagram = await destination.receive(SOON);
  assertEquals(datagram.text(), "Bonjour");
  // What comes back to it is read, and dropped.
  await destination.send("reply", datagram.from);
  await until(() => sink.stats.replies === 1);
  await sink.close();
  assertCounts(sink, { forwarded: 1, replies: 1 });
  assertEquals(sink.gauges, ["replies", "unconfirmed"]);
});

Deno.test("beyond its limit a sink drops messages, and says so once", async () => {
  await using destination = bind(LOOPBACK);
  await using socket = bind(LOOPBACK);
  const limit = { perSecond: 0.001, burst: 2 };
  const { sink, lines } = await openForward(destination.addr, socket, {
    limit,
  });
  sink.write(messagesOf(["1", "2", "3"]));
  sink.write(messagesOf(["4"]));
  await sink.flush();
  assertCounts(sink, { forwarded: 2, "dropped.rate": 2 });
  await sink.close();
  sink.write(messagesOf(["5"]));
  assertCounts(sink, { forwarded: 2, "dropped.rate": 2, lost: 1 });
  assertEquals(lines, [
    `forward to udp://127.0.0.1:${destination.addr.port}: messages beyond 0.001/s are dropped`,
  ]);
});

Deno.test("a message that is too long is refused, and the next one forwarded", async () => {
  await using destination = bind(LOOPBACK);
  await using socket = bind(LOOPBACK);
  const { sink, lines } = await openForward(destination.addr, socket, {
    sender: true,
  });
  sink.write(messagesOf(["x".repeat(65_500), "Bonjour"]));
  await sink.flush();
  assertMatch(lines.join(), /^[^\n]*: a message cannot be forwarded .*65528/);
  await sink.close();
  assertCounts(sink, { forwarded: 1, refused: 1 });
});

const FAMILIES: [name: string, from: NetAddr, head: string][] = [
  ["IPv4", SENDER, "2112000c0a0908077f0000011388"],
  [
    "IPv4 on an IPv6 socket",
    net("::ffff:10.9.8.7", 5000),
    "2112000c0a0908077f0000011388",
  ],
  [
    "IPv6",
    net("fe80::1", 5000),
    "21220024fe80000000000000000000000000000100000000000000000000ffff7f0000011388",
  ],
];
for (const [name, from, head] of FAMILIES) {
  Deno.test(`the original sender goes before a datagram, as the PROXY protocol has it: ${name}`, async () => {
    await using destination = bind(LOOPBACK);
    await using socket = bind(LOOPBACK);
    const { sink } = await openForward(destination.addr, socket, {
      sender: true,
    });
    sink.write(messagesOf(["Bonjour"], from));
    const { data } = await destination.receive(SOON);
    const hex = [...data].map((byte) => byte.toString(16).padStart(2, "0"));
    const port = socket.addr.port.toString(16).padStart(4, "0");
    const text = "426f6e6a6f7572";
    assertEquals(hex.join(""), `0d0a0d0a000d0a515549540a${head}${port}${text}`);
    await sink.close();
  });
}

Deno.test("a sender without an IP address has a PROXY header without addresses", async () => {
  await using destination = bind(LOOPBACK);
  await using socket = bind(LOOPBACK);
  const { sink } = await openForward(destination.addr, socket, {
    sender: true,
  });
  sink.write(messagesOf(["!"], { transport: "unixpacket", path: "/a" }));
  const { data } = await destination.receive(SOON);
  assertEquals([...data.subarray(12)], [0x21, 0, 0, 0, 0x21]);
  await sink.close();
});

Deno.test("a sink does not forward to the socket itself, by any of its names", async () => {
  for (const own of ["udp://127.0.0.1:0", "udp://0.0.0.0:0"]) {
    await using socket = bind(own);
    const { port } = socket.addr;
    for (const host of ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"]) {
      const error = await assertRejects(
        () => forward(`udp://${host}:${port}`, { socket }),
        TypeError,
        "that is the address of the server itself",
      );
      assertEquals(error.name, "InvalidAddressError");
    }
    // TCP has ports of its own.
    const { sink } = await openForward(`quic://127.0.0.1:${port + 1}`, socket, {
      carrier: { listen: () => Promise.reject() as never },
    });
    await sink.close();
  }
});

Deno.test("a message that comes back from a destination is not forwarded again", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    await using a = bind("udp://10.0.0.1:514", {
      carrier: network.host("10.0.0.1"),
    });
    await using b = bind("udp://10.0.0.2:514", {
      carrier: network.host("10.0.0.2"),
    });
    const there = await openForward(b.addr, a);
    const back = await openForward(a.addr, b);
    const onA = collect(a, { sinks: [there.sink] });
    const onB = collect(b, { sinks: [back.sink] });
    await using client = bind("udp://10.0.0.3:0", {
      carrier: network.host("10.0.0.3"),
    });
    await client.send("Bonjour", a.addr);
    await until(() => back.sink.stats["dropped.loop"] === 1);
    await onA.stop();
    await onB.stop();
    assertCounts(there.sink, { forwarded: 1 });
    assertCounts(back.sink, { "dropped.loop": 1 });
    assertEquals(back.lines, [
      "forward to udp://10.0.0.1:514: messages from a destination are not forwarded",
    ]);
  });
});

Deno.test("what comes from one destination is forwarded to none", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    await using socket = bind("udp://10.0.0.1:514", { carrier: network });
    const { sink } = await openForward("udp://10.0.0.2:514", socket);
    const { sink: other } = await openForward("udp://10.0.0.3:514", socket);
    for (const sender of [net("10.0.0.2", 514), net("10.0.0.3", 9)]) {
      for (const each of [sink, other]) each.write(messagesOf(["!"], sender));
    }
    sink.write(messagesOf(["!"], net("10.0.0.4", 514)));
    await sink.close();
    await other.close();
    assertCounts(sink, { forwarded: 1, "dropped.loop": 2 });
    assertCounts(other, { "dropped.loop": 2 });
  });
});

Deno.test("on one machine a destination is known by its port", async () => {
  await using destination = bind(LOOPBACK);
  await using socket = bind("udp://0.0.0.0:0");
  const { sink } = await openForward(destination.addr, socket);
  const { port } = destination.addr;
  sink.write(messagesOf(["other"], net("127.0.0.1", port - 1)));
  sink.write(messagesOf(["own"], net("127.0.0.1", port)));
  sink.write(messagesOf(["mapped"], net("::ffff:127.0.0.1", port)));
  await sink.close();
  assertCounts(sink, { forwarded: 1, "dropped.loop": 2 });
});

Deno.test("a sink that forwards takes no nonsense from a program", async () => {
  await using socket = bind(LOOPBACK);
  // deno-lint-ignore no-explicit-any
  const wrong: [to: any, options: any, text: RegExp][] = [
    ["udp://127.0.0.1:1", undefined, /socket must be a bound socket/],
    ["udp://127.0.0.1:1", 5, /options must be an object/],
    ["udp://127.0.0.1:1", {}, /socket must be a bound socket/],
    ["udp://127.0.0.1:0", { socket }, /port 0/],
    ["udp://0.0.0.0:1", { socket }, /unspecified/],
    ["foo", { socket }, /Invalid address/],
    ["udp://127.0.0.1:1", { socket, limit: 0 }, /limit must be more than 0/],
    ["udp://127.0.0.1:1", { socket, limit: "1" }, /limit must be a number/],
    ["udp://127.0.0.1:1", { socket, maxQueued: 0 }, /maxQueued must be/],
    ["udp://127.0.0.1:1", { socket, framing: "x" }, /framing must be/],
    ["udp://127.0.0.1:1", { socket, sender: "no" }, /sender must be/],
    ["udp://127.0.0.1:1", { socket, onTrouble: 5 }, /onTrouble must be/],
    ["udp://127.0.0.1:1", { socket, carrier: 5 }, /carrier must be/],
    ["tls://127.0.0.1:1", { socket }, /no default carrier for tls:/],
    ["quic://127.0.0.1:1", { socket }, /no default carrier for quic:/],
  ];
  for (const [to, options, text] of wrong) {
    const error = await assertRejects(() => forward(to, options), Error);
    assertMatch(error.message, text);
  }
});

Deno.test("messages that another sink has spoilt are refused", async () => {
  await using destination = bind(LOOPBACK);
  await using socket = bind(LOOPBACK);
  for (const sender of [false, true]) {
    const { sink } = await openForward(destination.addr, socket, { sender });
    // deno-lint-ignore no-explicit-any
    const spoilt: any[] = [
      null,
      {},
      { datagram: { from: SENDER } },
      { datagram: { from: SENDER, data: 5 } },
      { datagram: { from: SENDER, data: { length: -1e9 } } },
      { datagram: { from: null, data: new Uint8Array() } },
    ];
    sink.write([...spoilt, ...messagesOf(["Bonjour"])]);
    await sink.close();
    assertCounts(sink, { forwarded: 1, refused: spoilt.length });
  }
});

Deno.test("a callback for troubles that throws, or closes the sink, harms nothing", async () => {
  await using destination = bind(LOOPBACK);
  await using socket = bind(LOOPBACK);
  let closed: Promise<void> | undefined;
  const { sink } = await openForward(destination.addr, socket, {
    limit: { perSecond: 0.001, burst: 1 },
    onTrouble: () => {
      closed ??= sink.close();
    },
  });
  sink.write(messagesOf(["1", "2", "3"]));
  await closed;
  assertCounts(sink, { forwarded: 1, "dropped.rate": 2 });
});
