import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bind, connect, type DatagramSocket } from "../mod.ts";
import { tcp, type TcpOptions } from "../lib/carriers/tcp.ts";
import { describeReceived } from "../lib/programs/totals.ts";
import { metrics } from "../lib/sinks/page/metrics.ts";
import { SOON } from "./support/helpers.ts";
import { ANY, counted, dial, readAll } from "./support/streams.ts";

Deno.test("a message that takes too long closes its connection, and both are counted", async () => {
  const carrier = tcp({ messageMs: 30 });
  await using socket = bind(ANY, { carrier });
  using conn = await dial(socket);
  using other = await dial(socket);
  await other.say("fine\n");
  assertEquals((await socket.receive(SOON)).text(), "fine");
  let closed = false;
  const dripping = (async () => {
    while (!closed) {
      await conn.say("x").catch(() => closed = true);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  assertEquals(await counted(socket, (s) => s.connections?.["slow"]), 1);
  assertEquals(await counted(socket, (s) => s.dropped["incomplete"]), 1);
  await other.say("still here\n");
  assertEquals((await socket.receive(SOON)).text(), "still here");
  await dripping;
});

for (
  const [end, act] of [
    ["resets", async (conn) => {
      // Unread bytes make the system reset the connection.
      await conn.read(new Uint8Array(1));
      conn.close();
    }],
    ["is too slow", () => Promise.resolve()],
    [
      "is connected until the socket is closed",
      (_, socket) => socket[Symbol.asyncDispose](),
    ],
  ] as [string, (conn: Deno.Conn, socket: DatagramSocket) => Promise<void>][]
) {
  Deno.test(`a line that was delivered truncated counts once, if its peer ${end}`, async () => {
    const carrier = tcp({ messageMs: end === "is too slow" ? 30 : 30_000 });
    await using socket = bind(ANY, { carrier, maxSize: 1000 });
    const conn = await dial(socket);
    await conn.say("a".repeat(5000));
    const { data, truncated, from } = await socket.receive(SOON);
    assertEquals([data.length, truncated], [1000, true]);
    // One that is too slow may be gone already.
    const replying = socket.send("reply", from);
    await (end === "is too slow" ? replying.catch(() => {}) : replying);
    const receiving = socket.receive(SOON).catch(() => {});
    await act(conn, socket);
    while (await socket.send("x", from).then(() => true, () => false)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await socket[Symbol.asyncDispose]();
    await receiving;
    const { received, dropped } = socket.stats;
    assertEquals([received, dropped["incomplete"], dropped["closed"]], [
      1,
      0,
      0,
    ]);
    try {
      conn.close();
    } catch {
      // It is closed already.
    }
  });
}

Deno.test("a receiver that pauses in the middle of a message makes no peer slow", async () => {
  const carrier = tcp({ messageMs: 3000 });
  await using socket = bind(ANY, { carrier });
  using conn = await dial(socket);
  await conn.say("whole\nbegun ");
  assertEquals((await socket.receive(SOON)).text(), "whole");
  await new Promise((resolve) => setTimeout(resolve, 3300));
  await conn.say("and ended\n");
  assertEquals((await socket.receive(SOON)).text(), "begun and ended");
  assertEquals(socket.stats.connections?.["slow"], 0);
});

Deno.test("an idle connection is closed, and counted", async () => {
  const carrier = tcp({ idleMs: 30 });
  await using socket = bind(ANY, { carrier });
  using conn = await dial(socket);
  assertEquals(await readAll(conn), "");
  assertEquals(socket.stats.connections?.["idle"], 1);
});

Deno.test("a peer that reads no replies is disconnected; others get theirs", async () => {
  const carrier = tcp({ sendMs: 50 });
  await using socket = bind(ANY, { carrier });
  using deaf = await dial(socket);
  await deaf.say("deaf\n");
  const { from } = await socket.receive(SOON);
  await using client = await connect(socket.addr, { carrier });
  await assertRejects(
    async () => {
      for (;;) await socket.send("x".repeat(60_000), from);
    },
    Deno.errors.Busy,
    "the peer does not take its messages",
  );
  const answer = client.request("ping", SOON);
  const ping = await socket.receive(SOON);
  await socket.send("pong", ping.from);
  assertEquals((await answer).text(), "pong");
  assertEquals(await counted(socket, (s) => s.connections?.["unread"]), 1);
  await assertRejects(
    () => socket.send("x", from),
    Deno.errors.NotConnected,
  );
  const { unsent } = socket.stats.dropped;
  assert(unsent! > 0 && unsent! <= socket.stats.sent);
});

Deno.test("connections beyond maxPeers are closed at once, and counted", async () => {
  const carrier = tcp({ maxPeers: 2 });
  await using socket = bind(ANY, { carrier });
  await using first = await connect(socket.addr);
  await using second = await connect(socket.addr);
  for (const client of [first, second]) {
    await client.send("x");
    await socket.receive(SOON);
  }
  using third = await dial(socket);
  assertEquals(await readAll(third), "");
  assertEquals(socket.stats.connections?.["tooManyPeers"], 1);
  // No datagram was dropped: the connection never sent one.
  assertEquals(Object.values(socket.stats.dropped).some((n) => n > 0), false);
  await first.send("still here");
  assertEquals((await socket.receive(SOON)).text(), "still here");
});

Deno.test("totals and metrics count closed connections apart from datagrams", async () => {
  const carrier = tcp({ maxPeers: 1 });
  await using socket = bind(ANY, { carrier });
  await using client = await connect(socket.addr);
  await client.send("x");
  await socket.receive(SOON);
  using further = await dial(socket);
  assertEquals(await readAll(further), "");
  const { stats } = socket;
  assertEquals(
    describeReceived(stats),
    "received 1 message (1 byte), 1 connection closed because there were too many",
  );
  const { text } = metrics({ ...stats, sinks: {} }, "");
  const lines = text.split("\n").filter((line) => line.includes("tooMany"));
  assertEquals(lines, [
    'pli_closed_connections_total{reason="tooManyPeers"} 1',
  ]);
});

Deno.test("a connection that only waits for replies gives way to a new one", async () => {
  const carrier = tcp({ maxPeers: 1 });
  await using socket = bind(ANY, { carrier });
  for (let n = 0; n < 20; n++) {
    using conn = await dial(socket);
    await conn.say(`${n}\n`);
    await conn.closeWrite();
    assertEquals((await socket.receive(SOON)).text(), `${n}`);
    assertEquals(await socket.tryReceive(), undefined);
  }
  assertEquals(socket.stats.connections?.["tooManyPeers"], 0);
});

const INVALID: [TcpOptions, string][] = [
  [
    { framing: "xml" as "line" },
    'framing must be "line", "length", "octet" or "nul"',
  ],
  [{ maxMessage: 0 }, "maxMessage must be a whole number from 1"],
  [{ framing: "length", maxMessage: 65_536 }, "from 1 to 65535: given 65536"],
  [{ maxPeers: 0 }, "maxPeers must be a whole number from 1: given 0"],
  [{ idleMs: 0 }, "idleMs must be milliseconds from 1"],
  [{ messageMs: NaN }, "messageMs must be milliseconds from 1"],
  [{ sendMs: 2 ** 31 }, "sendMs must be milliseconds from 1"],
  [{ replyMs: -1 }, "replyMs must be milliseconds from 0"],
  [{ maxPeers: "9" as unknown as number }, 'from 1: given "9"'],
  [{ framing: null as unknown as "line" }, 'or "nul": given null'],
];
for (const [options, message] of INVALID) {
  Deno.test(`tcp(${JSON.stringify(options)}) throws one clear line`, () => {
    assertThrows(() => tcp(options), RangeError, message);
  });
}
