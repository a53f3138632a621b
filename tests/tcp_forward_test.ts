/** The sink that forwards, over TCP and TLS. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { bind, type DatagramSocket } from "../mod.ts";
import { type FramingName, tcp } from "../lib/carriers/tcp.ts";
import { tls } from "../lib/carriers/tls.ts";
import type { ForwardOptions } from "../lib/sinks/forward.ts";
import { certificate } from "./support/certificates.ts";
import { LOOPBACK, SOON, until } from "./support/helpers.ts";
import { assertCounts, messagesOf, openForward } from "./support/forwards.ts";

const TCP = "tcp://127.0.0.1:0";
const FROM = "Pli-From: udp://10.9.8.7:5000";

async function textsOf(socket: DatagramSocket, count: number) {
  const texts: string[] = [];
  while (texts.length < count) texts.push((await socket.receive(SOON)).text());
  return texts;
}

const FORMS: [
  name: string,
  framing: FramingName,
  options: Partial<ForwardOptions>,
  texts: string[],
  wanted: string[],
][] = [
  ["octet counting is the default", "octet", {}, ["a", "", "b\nc\0"], [
    ...["a", "", "b\nc\0"],
  ]],
  ["lines", "line", { framing: "line" }, ["a", "", "c"], ["a", "", "c"]],
  ["the sender's line is in the frame", "octet", { sender: true }, [
    ...["a", "b\nc"],
  ], [`${FROM}\na`, `${FROM}\nb\nc`]],
  [
    "with lines the sender's is one of its own",
    "line",
    { sender: true, framing: "line" },
    ["a", ""],
    [FROM, "a", FROM, ""],
  ],
];
for (const [name, framing, options, texts, wanted] of FORMS) {
  Deno.test(`what is forwarded over TCP arrives whole: ${name}`, async () => {
    await using destination = bind(TCP, { carrier: tcp({ framing }) });
    await using socket = bind(LOOPBACK);
    const { sink } = await openForward(destination.addr, socket, options);
    sink.write(messagesOf(texts));
    assertEquals(await textsOf(destination, wanted.length), wanted);
    await sink.close();
    assertCounts(sink, { forwarded: texts.length });
  });
}

for (const sender of [false, true]) {
  Deno.test(`over TCP by lines a message with a newline is refused, and never split, ${sender ? "with" : "without"} senders`, async () => {
    await using destination = bind(TCP);
    await using socket = bind(LOOPBACK);
    const { sink, lines } = await openForward(destination.addr, socket, {
      sender,
      framing: "line",
    });
    sink.write(messagesOf(["a\nb", "c", "\n"]));
    assertEquals(
      await textsOf(destination, sender ? 2 : 1),
      sender ? [FROM, "c"] : ["c"],
    );
    await sink.close();
    assertCounts(sink, { forwarded: 1, refused: 2 });
    assertEquals(lines.length, 1);
    assertMatch(
      lines[0]!,
      /a message cannot be forwarded .* newline at byte 1/,
    );
  });
}

Deno.test("TCP: messages wait for a server that starts later, and then arrive", async () => {
  const early = bind(TCP, { carrier: tcp({ framing: "octet" }) });
  const { addr } = early;
  await early[Symbol.asyncDispose]();
  await using socket = bind(LOOPBACK);
  const { sink, lines } = await openForward(addr, socket);
  sink.write(messagesOf(["1", "2"]));
  await until(() => lines.length > 0);
  assertMatch(
    lines[0]!,
    /^forward to \S+: Connection refused .*; messages wait$/,
  );
  await using late = bind(addr, { carrier: tcp({ framing: "octet" }) });
  assertEquals(await textsOf(late, 2), ["1", "2"]);
  await sink.close();
  assertCounts(sink, { forwarded: 2 });
  assertMatch(lines.at(-1)!, / is back; 0 messages lost meanwhile$/);
});

Deno.test("TCP: a server that is replaced gets what comes after", async () => {
  const carrier = tcp({ framing: "octet" });
  const first = bind(TCP, { carrier });
  const { addr } = first;
  await using socket = bind(LOOPBACK);
  const { sink, lines } = await openForward(addr, socket);
  sink.write(messagesOf(["1"]));
  assertEquals(await textsOf(first, 1), ["1"]);
  await first[Symbol.asyncDispose]();
  await until(() => lines.length > 0);
  await using second = bind(addr, { carrier });
  sink.write(messagesOf(["2"]));
  assertEquals(await textsOf(second, 1), ["2"]);
  await sink.close();
  assertCounts(sink, { forwarded: 2 });
  assertMatch(lines.join("\n"), /what it had not read may be lost; messages/);
});

Deno.test("TCP: a destination that reads nothing costs bounded memory, and every message is counted", async () => {
  using deaf = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using reading = bind(LOOPBACK);
  await using socket = bind(LOOPBACK);
  const to = { ...deaf.addr, transport: "tcp" as const };
  const { sink, lines } = await openForward(to, socket, {
    maxQueued: 100,
    limit: Infinity,
  });
  const { sink: other } = await openForward(reading.addr, socket);
  const size = 60_000;
  const batch = messagesOf(Array(100).fill("x".repeat(size)));
  let written = 0;
  // More than the system's buffers hold.
  while (sink.stats["dropped.queue"] === 0) {
    sink.write(batch);
    written += batch.length;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  other.write(messagesOf(["Bonjour"]));
  assertEquals((await reading.receive(SOON)).text(), "Bonjour");
  assertEquals(sink.stats.waiting <= 100, true);
  await other.close();
  await sink.close(AbortSignal.abort());
  const { forwarded, lost } = sink.stats;
  assert(forwarded > 0 && lost > 0 && lost <= 100);
  assertCounts(sink, {
    forwarded,
    lost,
    "dropped.queue": written - forwarded - lost,
  });
  assertMatch(lines.join("\n"), /no more messages can wait.*\n.*did not get/);
  (await deaf.accept()).close();
});

Deno.test("TCP: a destination that answers everything is read, and goes on", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using socket = bind(LOOPBACK);
  const to = { ...listener.addr, transport: "tcp" as const };
  const { sink } = await openForward(to, socket, { limit: Infinity });
  const conn = await listener.accept();
  const echoing = conn.readable.pipeTo(conn.writable);
  // More than the buffers of both directions hold: an echo that is not read stops.
  const texts = Array(1000).fill(`${"x".repeat(30_000)}\n`);
  sink.write(messagesOf(texts));
  await until(() => sink.stats.forwarded === texts.length);
  await until(() => sink.stats.replies === texts.length);
  await sink.close();
  await echoing.catch(() => {});
});

Deno.test("TLS: a certificate that is not trusted is a trouble; one that is carries messages", async () => {
  const { cert, key } = await certificate();
  await using destination = bind("tls://127.0.0.1:0", {
    carrier: tls({ cert, key, framing: "octet" }),
  });
  await using socket = bind(LOOPBACK);
  const strangers = await openForward(destination.addr, socket, {
    carrier: tls({ framing: "octet" }),
  });
  await until(() => strangers.lines.length > 0);
  assertMatch(strangers.lines[0]!, /certificate.*; messages wait$/);
  await strangers.sink.close();
  const { sink } = await openForward(destination.addr, socket, {
    carrier: tls({ framing: "octet", caCerts: [cert] }),
    sender: true,
  });
  sink.write(messagesOf(["a\nb"]));
  assertEquals(await textsOf(destination, 1), [`${FROM}\na\nb`]);
  await sink.close();
  assertCounts(sink, { forwarded: 1 });
});

Deno.test("TCP: a connection that leads back to the server's own socket carries nothing", async () => {
  await using socket = bind(TCP);
  const { lines, sink } = await openForward(
    `tcp://127.0.0.1:${socket.addr.port === 1 ? 2 : 1}`,
    socket,
    {
      carrier: {
        ...tcp(),
        dial: (_, options) => tcp().dial!(socket.addr, options),
      },
    },
  );
  sink.write(messagesOf(["1"]));
  await until(() => lines.length > 0);
  await sink.close(AbortSignal.abort());
  assertCounts(sink, { lost: 1 });
  assertMatch(lines[0]!, /the address of the server itself/);
});
