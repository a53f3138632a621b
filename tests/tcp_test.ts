import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bind, connect, DatagramSocket, serve } from "../mod.ts";
import { tcp, type TcpOptions } from "../lib/carriers/tcp.ts";
import { BoundCarrier } from "../lib/carriers/tcp/bound.ts";
import { checkOptions } from "../lib/carriers/tcp/limits.ts";
import { bytesOf, SOON } from "./support/helpers.ts";

const ANY = "tcp://127.0.0.1:0";
const text = new TextDecoder();

/** A bare connection to a socket. It is closed at the end of the block. */
async function dial({ addr }: { addr: Deno.NetAddr }) {
  const { hostname, port } = addr;
  const conn = await Deno.connect({ hostname, port });
  return Object.assign(conn, {
    say: async (data: string) => {
      for (let bytes = bytesOf(data); bytes.length > 0;) {
        bytes = bytes.subarray(await conn.write(bytes));
      }
    },
  });
}

/** All that comes until the other end closes. */
async function readAll(conn: Deno.Conn): Promise<string> {
  return text.decode(await new Response(conn.readable).bytes());
}

/** Waits until the counter is no longer 0, while the socket receives. */
async function counted(socket: DatagramSocket, reason: string) {
  while (!socket.stats.dropped[reason]) {
    await socket.receive({ timeoutMs: 10 }).catch(() => {});
  }
  return socket.stats.dropped;
}

Deno.test("a tcp address needs no carrier named", async () => {
  await using server = serve(ANY, (d) => `echo: ${d.text()}`);
  await using client = await connect(server.addr);
  assertEquals((await client.request("ping")).text(), "echo: ping");
  assertEquals(client.remote, server.addr);
});

Deno.test("each line is a message, and so is what comes before the end", async () => {
  await using socket = bind(ANY);
  using conn = await dial(socket);
  await conn.say("one\r\n\ntwo\nla");
  await conn.say("st");
  await conn.closeWrite();
  const messages = [];
  for (let n = 0; n < 4; n++) {
    messages.push((await socket.receive(SOON)).text());
  }
  assertEquals(messages, ["one", "", "two", "last"]);
});

Deno.test("who has ended its half still gets answers, for as long as it is kept", async () => {
  await using socket = bind(ANY);
  using conn = await dial(socket);
  await conn.say("question");
  await conn.closeWrite();
  const { from } = await socket.receive(SOON);
  assertEquals(await socket.tryReceive(), undefined);
  await socket.send("answer", from);
  const buffer = new Uint8Array(100);
  const size = await conn.read(buffer);
  assertEquals(text.decode(buffer.subarray(0, size ?? 0)), "answer\n");
});

Deno.test("who has ended its half and gets no answer is let go without being counted", async () => {
  const carrier = tcp({ sendMs: 20 });
  await using socket = bind(ANY, { carrier });
  using conn = await dial(socket);
  await conn.say("x\n");
  await conn.closeWrite();
  const { from } = await socket.receive(SOON);
  assertEquals(await socket.tryReceive(), undefined);
  assertEquals(await readAll(conn), "");
  await assertRejects(
    () => socket.send("late", from),
    Deno.errors.NotConnected,
    "no connection from there",
  );
  const { unread, idle, slow } = socket.stats.dropped;
  assertEquals([unread, idle, slow], [0, 0, 0]);
});

Deno.test("a line longer than the limit comes once, truncated, and the rest is skipped", async () => {
  await using socket = bind(ANY, { maxSize: 8 });
  using conn = await dial(socket);
  const long = conn.say("x".repeat(1_000_000) + "\nnext\n");
  const cut = await socket.receive(SOON);
  assertEquals([cut.text(), cut.truncated], ["xxxxxxxx", true]);
  const next = await socket.receive(SOON);
  assertEquals([next.text(), next.truncated], ["next", false]);
  await long;
});

Deno.test("a peer that floods waits, and the others have their turn", async () => {
  await using socket = bind(ANY);
  using flood = await dial(socket);
  using quiet = await dial(socket);
  let written = 0;
  const flooding = (async () => {
    const lines = bytesOf("flood\n".repeat(10_000));
    try {
      for (;;) written += await flood.write(lines);
    } catch {
      // The socket is closed in the end.
    }
  })();
  await socket.receive(SOON);
  // Nobody reads: what is under way fills the system's buffers and no more.
  let before = -1;
  while (written !== before) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await quiet.say("quiet\n");
  // The event loop looks at the other connections once in a while only: some
  // chunks of the flood, of 16 KiB each, come first.
  let received = 0;
  while ((await socket.receive(SOON)).text() !== "quiet") received++;
  assert(received < 1_000_000, `${received} messages came first`);
  const { dropped } = socket.stats;
  assertEquals(Object.values(dropped).every((n) => n === 0), true);
  await socket[Symbol.asyncDispose]();
  await flooding;
});

Deno.test("nothing is dropped because the reader is slow", async () => {
  await using socket = bind(ANY);
  await using client = await connect(socket.addr);
  const count = 20_000;
  const sending = (async () => {
    for (let n = 0; n < count; n++) {
      await client.send(`${n} ${"x".repeat(200)}`);
    }
  })();
  for (let n = 0; n < count; n++) {
    const [number] = (await socket.receive(SOON)).text().split(" ");
    assertEquals(number, `${n}`);
    if (n % 5000 === 0) await new Promise((go) => setTimeout(go, 20));
  }
  await sending;
});

Deno.test("a message that does not end in time is slow: its connection is closed", async () => {
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
  assertEquals((await counted(socket, "slow")).slow, 1);
  await other.say("still here\n");
  assertEquals((await socket.receive(SOON)).text(), "still here");
  await dripping;
});

Deno.test("a reader that pauses in the middle of a message makes no peer slow", async () => {
  const carrier = tcp({ messageMs: 1000 });
  await using socket = bind(ANY, { carrier });
  using conn = await dial(socket);
  await conn.say("whole\nbegun ");
  assertEquals((await socket.receive(SOON)).text(), "whole");
  await new Promise((resolve) => setTimeout(resolve, 1200));
  await conn.say("and ended\n");
  assertEquals((await socket.receive(SOON)).text(), "begun and ended");
  assertEquals(socket.stats.dropped.slow, 0);
});

Deno.test("a connection on which nothing happens is closed, and counted", async () => {
  const carrier = tcp({ idleMs: 30 });
  await using socket = bind(ANY, { carrier });
  using conn = await dial(socket);
  assertEquals(await readAll(conn), "");
  assertEquals(socket.stats.dropped.idle, 1);
});

Deno.test("a peer that reads no answers is given up, and the others get theirs", async () => {
  const carrier = tcp({ sendMs: 50 });
  await using socket = bind(ANY, { carrier });
  using deaf = await dial(socket);
  await deaf.say("deaf\n");
  const { from } = await socket.receive(SOON);
  await using client = await connect(socket.addr, { carrier });
  const filling = (async () => {
    for (;;) await socket.send("x".repeat(60_000), from);
  })();
  const failed = assertRejects(
    () => filling,
    Deno.errors.TimedOut,
    "the peer has read nothing for 50 ms",
  );
  const answer = client.request("ping", SOON);
  const ping = await socket.receive(SOON);
  await socket.send("pong", ping.from);
  assertEquals((await answer).text(), "pong");
  await failed;
  assertEquals(socket.stats.dropped.unread, 1);
  await assertRejects(
    () => socket.send("x", from),
    Deno.errors.NotConnected,
  );
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
  assertEquals(socket.stats.dropped.tooManyPeers, 1);
  await first.send("still here");
  assertEquals((await socket.receive(SOON)).text(), "still here");
});

Deno.test("one that only waits for answers gives way to a new connection", async () => {
  const carrier = tcp({ maxPeers: 1 });
  await using socket = bind(ANY, { carrier });
  for (let n = 0; n < 20; n++) {
    using conn = await dial(socket);
    await conn.say(`${n}\n`);
    await conn.closeWrite();
    assertEquals((await socket.receive(SOON)).text(), `${n}`);
    assertEquals(await socket.tryReceive(), undefined);
  }
  assertEquals(socket.stats.dropped.tooManyPeers, 0);
});

Deno.test("a message that a connection breaks off is counted", async () => {
  const carrier = tcp({ framing: "length" });
  await using socket = bind(ANY, { carrier });
  using conn = await dial(socket);
  await conn.say("\0\x02ok\0\x05ab");
  await conn.closeWrite();
  assertEquals((await socket.receive(SOON)).text(), "ok");
  assertEquals((await counted(socket, "incomplete")).incomplete, 1);
});

Deno.test("when the peer ends the connection, receive says so once all messages are read", async () => {
  const socket = bind(ANY);
  await using client = await connect(socket.addr);
  await client.send("hello");
  const { from } = await socket.receive(SOON);
  await socket.send("last", from);
  await socket[Symbol.asyncDispose]();
  assertEquals((await client.receive(SOON)).text(), "last");
  for (let n = 0; n < 2; n++) {
    await assertRejects(
      () => client.receive(SOON),
      Deno.errors.ConnectionReset,
      "the peer sends no more",
    );
  }
  const error = await assertRejects(async () => {
    for (;;) await client.send("x");
  }, Deno.errors.ConnectionReset);
  assert(error.message.endsWith(": the peer has closed the connection"));
});

Deno.test("what was sent just before the end arrives, though answers wait unread", async () => {
  await using server = serve(ANY, ({ data }) => data);
  const client = await connect(server.addr);
  const count = 500;
  for (let n = 0; n < count; n++) await client.send("x".repeat(1000));
  await client.receive(SOON);
  await client[Symbol.asyncDispose]();
  while (server.stats.received < count) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

Deno.test("answers that were sent just before the end arrive", async () => {
  const socket = bind(ANY);
  using conn = await dial(socket);
  await conn.say("go\nunread\n");
  const { from } = await socket.receive(SOON);
  const lines = Array.from({ length: 100 }, (_, n) => `${n}`);
  for (const line of lines) await socket.send(line, from);
  const [all] = await Promise.all([
    readAll(conn),
    socket[Symbol.asyncDispose](),
  ]);
  assertEquals(all, lines.map((line) => `${line}\n`).join(""));
});

Deno.test("the guard and the limits to answers hold over TCP", async () => {
  await using denied = bind(ANY, { deny: ["127.0.0.0/8"] });
  await using stranger = await connect(denied.addr);
  await stranger.send("x");
  await counted(denied, "denied");

  await using socket = bind(ANY, {
    rateLimit: { perSecond: 0.001, burst: 2 },
    answerLimit: { perSecond: 0.001, burst: 1 },
  });
  await using client = await connect(socket.addr);
  for (let n = 0; n < 3; n++) await client.send(`${n}`);
  const first = await socket.receive(SOON);
  await socket.receive(SOON);
  await counted(socket, "rateLimited");
  assertEquals(await socket.answer("a", first), true);
  assertEquals(await socket.answer("b", first), false);
  assertEquals(socket.stats.withheld.answerRate, 1);
});

Deno.test("a long answer to a short message is no amplification over TCP, whose sources are not forged", async () => {
  await using socket = bind("tcp://0.0.0.0:0");
  const { port } = socket.addr;
  await using client = await connect(`tcp://127.0.0.1:${port}`);
  await client.send("?");
  const question = await socket.receive(SOON);
  assertEquals(await socket.answer("x".repeat(1000), question), true);
  assertEquals((await client.receive(SOON)).data.length, 1000);

  await using strict = bind("tcp://0.0.0.0:0", { maxAmplification: 3 });
  await using other = await connect(`tcp://127.0.0.1:${strict.addr.port}`);
  await other.send("?");
  const asked = await strict.receive(SOON);
  assertEquals(await strict.answer("x".repeat(1000), asked), false);
});

Deno.test("a broken connection is its own peer's: the socket goes on", async () => {
  await using socket = bind(ANY);
  await using client = await connect(socket.addr);
  const broken = await dial(socket);
  await broken.say("half a li");
  await client.send("a");
  assertEquals((await socket.receive(SOON)).text(), "a");
  // An answer that is not read makes the system reset the connection.
  broken.close();
  await client.send("b");
  const texts = [(await socket.receive(SOON)).text()];
  if (texts[0] !== "b") texts.push((await socket.receive(SOON)).text());
  assertEquals(texts.includes("b"), true);
});

Deno.test("an answer to who has gone fails, and is nobody else's matter", async () => {
  await using socket = bind(ANY);
  const gone = await dial(socket);
  await gone.say("x\n");
  const { from } = await socket.receive(SOON);
  gone.close();
  let error: unknown;
  while (error === undefined) {
    await socket.send("answer", from).catch((reason) => error = reason);
  }
  assert(
    error instanceof Deno.errors.ConnectionReset ||
      error instanceof Deno.errors.NotConnected,
  );
  await using client = await connect(socket.addr);
  await client.send("still here");
  assertEquals((await socket.receive(SOON)).text(), "still here");
});

Deno.test("nobody listens: connect says so", async () => {
  const gone = bind(ANY);
  const { addr } = gone;
  await gone[Symbol.asyncDispose]();
  await assertRejects(
    () => connect(addr),
    Deno.errors.ConnectionRefused,
    `Cannot connect to tcp://127.0.0.1:${addr.port}: `,
  );
});

Deno.test("tcp carries tcp addresses and no others, and tls none without its carrier", async () => {
  assertThrows(
    () => bind("tls://127.0.0.1:0", { carrier: tcp() }),
    TypeError,
    'Invalid address "tls://127.0.0.1:0": this carrier carries only tcp:// addresses; give "tcp://127.0.0.1:0", or use a carrier for tls:// addresses',
  );
  assertThrows(() => bind("127.0.0.1:0", { carrier: tcp() }), TypeError);
  assertThrows(() => bind("tls://127.0.0.1:0"), TypeError, "carrier: tls(");
  await assertRejects(() => connect("tls://127.0.0.1:1"), TypeError);
});

const WRONG: [TcpOptions, string][] = [
  [{ framing: "xml" as "line" }, 'framing must be "line" or "length"'],
  [{ maxMessage: 0 }, "maxMessage must be a whole number from 1"],
  [{ framing: "length", maxMessage: 65_536 }, "from 1 to 65535: given 65536"],
  [{ maxPeers: 0 }, "maxPeers must be a whole number from 1: given 0"],
  [{ idleMs: 0 }, "idleMs must be from 1"],
  [{ messageMs: NaN }, "messageMs must be from 1"],
  [{ sendMs: 2 ** 31 }, "sendMs must be from 1"],
];
for (const [options, says] of WRONG) {
  Deno.test(`tcp(${JSON.stringify(options)}) is refused`, () => {
    assertThrows(() => tcp(options), RangeError, says);
  });
}

Deno.test("a server that reads nothing is given up, and each send and receive says so", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  await using client = await connect(`tcp://127.0.0.1:${port}`, {
    carrier: tcp({ sendMs: 50 }),
  });
  using _deaf = await listener.accept();
  listener.close();
  await assertRejects(
    async () => {
      for (;;) await client.send("x".repeat(60_000));
    },
    Deno.errors.TimedOut,
    "the peer has read nothing for 50 ms, and its connection is closed",
  );
  await assertRejects(() => client.send("x"), Deno.errors.TimedOut);
  await assertRejects(
    () => client.receive(SOON),
    Deno.errors.ConnectionReset,
    "its connection was closed: it does not read",
  );
});

Deno.test("when the system cannot open a connection, that is counted, and the next is tried", async () => {
  const inner = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let failures = 1;
  const listener = {
    addr: inner.addr,
    accept: () =>
      failures-- > 0
        ? Promise.reject(new Error("Too many open files (os error 24)"))
        : inner.accept(),
    close: () => inner.close(),
    ref: () => inner.ref(),
    unref: () => inner.unref(),
  } as Deno.Listener;
  await using socket = new DatagramSocket(
    new BoundCarrier(listener, checkOptions({})),
  );
  await using client = await connect(socket.addr);
  await client.send("x");
  assertEquals((await socket.receive(SOON)).text(), "x");
  assertEquals(socket.stats.dropped.notAccepted, 1);
});
