/** The framings over real connections: what arrives, is lost, and is counted. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { bind, type CarrierSource, connect } from "../mod.ts";
import type { FramingName } from "../lib/carriers/tcp/framing.ts";
import { tcp, type TcpOptions } from "../lib/carriers/tcp.ts";
import { tls } from "../lib/carriers/tls.ts";
import { describeReceived } from "../lib/programs/totals.ts";
import { certificate } from "./support/certificates.ts";
import { messagesIn } from "./support/framings.ts";
import { bytesOf, SOON } from "./support/helpers.ts";
import { ANY, counted, dial, readAll } from "./support/streams.ts";

const octet = tcp({ framing: "octet" });

const CARRIERS: [
  string,
  (options: TcpOptions) => Promise<CarrierSource>,
][] = [
  ["tcp", (options) => Promise.resolve(tcp(options))],
  ["tls", async (options) => {
    const { cert, key } = await certificate();
    return tls({ ...options, cert, key, caCerts: [cert] });
  }],
];

for (const [scheme, source] of CARRIERS) {
  for (
    const [framing, message] of [
      ["octet", "any\nbytes\0\r\n"],
      ["nul", "two\r\nlines\r\n"],
    ] as const
  ) {
    Deno.test(`${framing} over ${scheme}: messages arrive whole, empty and long ones too`, async () => {
      const maxMessage = 1_000_000;
      const carrier = await source({ framing, maxMessage });
      await using socket = bind(`${scheme}://127.0.0.1:0`, { carrier });
      await using client = await connect(socket.addr, { carrier });
      for (const text of [message, "", "x".repeat(maxMessage), "after"]) {
        const [datagram] = await Promise.all([
          socket.receive(SOON),
          client.send(text),
        ]);
        assert(datagram.text() === text && !datagram.truncated);
        const [reply] = await Promise.all([
          client.receive(SOON),
          socket.send(datagram.data, datagram.from),
        ]);
        assert(reply.text() === text);
      }
    });
  }
}

Deno.test("nul: a message with a NUL byte is rejected, and the next one passes", async () => {
  const carrier = tcp({ framing: "nul" });
  await using socket = bind(ANY, { carrier });
  await using client = await connect(socket.addr, { carrier });
  await assertRejects(
    () => client.send("a\0b"),
    TypeError,
    'has one at byte 1; use the framing "length"',
  );
  await client.send("next");
  assertEquals((await socket.receive(SOON)).text(), "next");
  assertEquals(client.stats.sendFailed, 1);
});

for (
  const junk of [
    ...["05 hello", "+5 hello", " 5 hello", "-1 ", "\n", "\0".repeat(100_000)],
    ...["67108865 x", "9".repeat(100_000), "<13>a line of syslog\n"],
  ]
) {
  const shown = JSON.stringify(junk.slice(0, 12));
  Deno.test(`octet: ${shown} closes the connection, told and counted; others go on`, async () => {
    await using socket = bind(ANY, { carrier: octet });
    using conn = await dial(socket);
    await using other = await connect(socket.addr, { carrier: octet });
    // It may be closed before it has said everything.
    await conn.say(`2 ok${junk}5 never`).catch(() => {});
    assertEquals((await socket.receive(SOON)).text(), "ok");
    assertEquals(await counted(socket, (s) => s.connections?.["malformed"]), 1);
    await readAll(conn).catch(() => "");
    await other.send("still here");
    assertEquals((await socket.receive(SOON)).text(), "still here");
    assertEquals(
      describeReceived(socket.stats),
      "received 2 messages (12 bytes), 1 dropped cut off with their connection, 1 connection closed because what it sent had no length",
    );
  });
}

Deno.test("octet: a client hears that its server sends no lengths", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = listener.addr;
  const dialing = connect(`tcp://${hostname}:${port}`, { carrier: octet });
  using conn = await listener.accept();
  await using client = await dialing;
  await conn.write(bytesOf("2 okHTTP/1.1 400 Bad Request\r\n"));
  assertEquals((await client.receive(SOON)).text(), "ok");
  await assertRejects(
    () => client.receive(SOON),
    Deno.errors.ConnectionReset,
    "its connection was closed: it sent what is no length of a message",
  );
  await assertRejects(() => client.send("x"), Deno.errors.ConnectionReset);
  assertEquals(client.stats.dropped["incomplete"], 1);
});

for (const begun of ["5", "5 ", "1000 hello"]) {
  Deno.test(`octet: ${JSON.stringify(begun)} and then silence is closed as slow, and counted`, async () => {
    const carrier = tcp({ framing: "octet", messageMs: 30 });
    await using socket = bind(ANY, { carrier });
    using conn = await dial(socket);
    await conn.say(begun);
    assertEquals(await counted(socket, (s) => s.connections?.["slow"]), 1);
    assertEquals(await counted(socket, (s) => s.dropped["incomplete"]), 1);
  });

  Deno.test(`octet: ${JSON.stringify(begun)} and then the end is counted as incomplete`, async () => {
    await using socket = bind(ANY, { carrier: octet });
    using conn = await dial(socket);
    await conn.say(`2 ok${begun}`);
    await conn.closeWrite();
    assertEquals((await socket.receive(SOON)).text(), "ok");
    assertEquals(await counted(socket, (s) => s.dropped["incomplete"]), 1);
  });
}

Deno.test("octet: a message beyond maxSize comes truncated, and the next one follows", async () => {
  await using socket = bind(ANY, { carrier: octet, maxSize: 4 });
  using conn = await dial(socket);
  await conn.say(`300000 ${"x".repeat(300_000)}4 next`);
  const [long, next] = [await socket.receive(SOON), await socket.receive(SOON)];
  assertEquals([long.text(), long.truncated], ["xxxx", true]);
  assertEquals([next.text(), next.truncated], ["next", false]);
  assertEquals(socket.stats.dropped["incomplete"], 0);
});

Deno.test("nul: a stream of NULs is that many empty messages, and others are served", async () => {
  const carrier = tcp({ framing: "nul" });
  await using socket = bind(ANY, { carrier });
  using conn = await dial(socket);
  await using other = await connect(socket.addr, { carrier });
  const count = 50_000;
  const flood = conn.say("\0".repeat(count)).then(() => conn.closeWrite());
  await other.send("from another");
  let others = 0;
  for (let n = 0; n < count + 1; n++) {
    const { data } = await socket.receive(SOON);
    if (data.length > 0) others++;
  }
  await flood;
  assertEquals(others, 1);
  assertEquals(socket.stats.received, count + 1);
});

for (const framing of ["line", "length", "octet", "nul"] as FramingName[]) {
  Deno.test(`${framing}: after junk the counts are what was in it, whatever the pieces`, async () => {
    const carrier = tcp({ framing });
    const junk = fc.array(
      fc.oneof(
        fc.constantFrom("2 ab", "0 ", "7 ", "x", "\n", "\0", "\0\x02ab", "99 "),
        fc.string({ unit: "binary-ascii", maxLength: 8 }),
      ),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(junk, async (pieces) => {
        await using socket = bind(ANY, { carrier });
        const conn = await dial(socket);
        conn.setNoDelay();
        for (const piece of pieces) await conn.say(piece).catch(() => {});
        await conn.closeWrite().catch(() => {});

        const { messages, partial, malformed } = messagesIn(
          bytesOf(pieces.join("")),
          framing,
        );
        for (const message of messages) {
          assertEquals((await socket.receive(SOON)).data, message);
        }
        if (partial) await counted(socket, (s) => s.dropped["incomplete"]);
        assertEquals(await socket.tryReceive(), undefined);
        const { received, dropped, connections } = socket.stats;
        assertEquals(
          [received, dropped["incomplete"], connections?.["malformed"]],
          [messages.length, Number(partial), Number(malformed)],
        );
        conn.close();
      }),
      { numRuns: 40 },
    );
  });
}
