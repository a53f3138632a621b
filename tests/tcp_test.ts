import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { bind, connect, DatagramSocket, serve } from "../mod.ts";
import { tcp } from "../lib/carriers/tcp.ts";
import { BoundCarrier } from "../lib/carriers/tcp/bound.ts";
import { checkOptions } from "../lib/carriers/tcp/limits.ts";
import { describeReceived } from "../lib/programs/totals.ts";
import { bytesOf, SOON } from "./support/helpers.ts";
import { ANY, counted, dial } from "./support/streams.ts";

Deno.test("a tcp address needs no carrier named", async () => {
  await using server = serve(ANY, (d) => `echo: ${d.text()}`);
  await using client = await connect(server.addr);
  assertEquals((await client.request("ping", SOON)).text(), "echo: ping");
  assertEquals(client.remote, server.addr);
});

Deno.test("each line is a message, and so are the bytes before the end", async () => {
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

Deno.test("a line longer than maxSize is delivered once, truncated; its rest is skipped", async () => {
  await using socket = bind(ANY, { maxSize: 8 });
  using conn = await dial(socket);
  const long = conn.say("x".repeat(1_000_000) + "\nnext\n");
  const cut = await socket.receive(SOON);
  assertEquals([cut.text(), cut.truncated], ["xxxxxxxx", true]);
  const next = await socket.receive(SOON);
  assertEquals([next.text(), next.truncated], ["next", false]);
  await long;
});

Deno.test("a flooding peer waits while other peers are served", async () => {
  await using socket = bind(ANY);
  using flood = await dial(socket);
  using quiet = await dial(socket);
  let written = 0;
  const flooding = (async () => {
    const lines = bytesOf("flood\n".repeat(10_000));
    try {
      for (;;) written += await flood.write(lines);
    } catch {
      // The socket is closed at the end.
    }
  })();
  await socket.receive(SOON);
  // Nothing is received: the flood fills the system's buffers and no more.
  let before = -1;
  while (written !== before) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await quiet.say("quiet\n");
  // The event loop polls the other connections only now and then: some chunks of
  // the flood, of 16 KiB each, are received first.
  let received = 0;
  while ((await socket.receive(SOON)).text() !== "quiet") received++;
  assert(received < 1_000_000, `${received} messages came first`);
  const { dropped, connections } = socket.stats;
  const counts = [...Object.values(dropped), ...Object.values(connections!)];
  assertEquals(counts.every((n) => n === 0), true);
  await socket[Symbol.asyncDispose]();
  await flooding;
});

Deno.test("a slow receiver never causes loss", async () => {
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

Deno.test("a message that is cut off with its connection is counted", async () => {
  const carrier = tcp({ framing: "length" });
  await using socket = bind(ANY, { carrier });
  using conn = await dial(socket);
  await conn.say("\0\x02ok\0\x05ab");
  await conn.closeWrite();
  assertEquals((await socket.receive(SOON)).text(), "ok");
  assertEquals(await counted(socket, (s) => s.dropped["incomplete"]), 1);
});

Deno.test("the guard and the limits for replies hold over TCP", async () => {
  await using denied = bind(ANY, { deny: ["127.0.0.0/8"] });
  await using stranger = await connect(denied.addr);
  await stranger.send("x");
  await counted(denied, (s) => s.dropped["denied"]);

  await using socket = bind(ANY, {
    rateLimit: { perSecond: 0.001, burst: 2 },
    answerLimit: { perSecond: 0.001, burst: 1 },
  });
  await using client = await connect(socket.addr);
  for (let n = 0; n < 3; n++) await client.send(`${n}`);
  const first = await socket.receive(SOON);
  await socket.receive(SOON);
  await counted(socket, (s) => s.dropped["rateLimited"]);
  assertEquals(await socket.answer("a", first), true);
  assertEquals(await socket.answer("b", first), false);
  assertEquals(socket.stats.withheld["answerRate"], 1);
});

Deno.test("a long reply is allowed over TCP, because sources cannot be forged", async () => {
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

Deno.test("a broken connection does not affect the socket", async () => {
  await using socket = bind(ANY);
  await using client = await connect(socket.addr);
  const broken = await dial(socket);
  await broken.say("half a li");
  await client.send("a");
  assertEquals((await socket.receive(SOON)).text(), "a");
  // Closing with unread data makes the system reset the connection.
  broken.close();
  await client.send("b");
  const texts = [(await socket.receive(SOON)).text()];
  if (texts[0] !== "b") texts.push((await socket.receive(SOON)).text());
  assertEquals(texts.includes("b"), true);
});

Deno.test("a reply to a peer that has left rejects, and others are served", async () => {
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

Deno.test("connect rejects if nothing listens", async () => {
  const gone = bind(ANY);
  const { addr } = gone;
  await gone[Symbol.asyncDispose]();
  await assertRejects(
    () => connect(addr),
    Deno.errors.ConnectionRefused,
    `Cannot connect to tcp://127.0.0.1:${addr.port}: `,
  );
});

Deno.test("tcp carries only tcp:// addresses, and tls:// needs its own carrier", async () => {
  assertThrows(
    () => bind("tls://127.0.0.1:0", { carrier: tcp() }),
    TypeError,
    'Invalid address "tls://127.0.0.1:0": this carrier carries only tcp:// addresses; give "tcp://127.0.0.1:0", or use a carrier for tls:// addresses',
  );
  assertThrows(() => bind("127.0.0.1:0", { carrier: tcp() }), TypeError);
  assertThrows(() => bind("tls://127.0.0.1:0"), TypeError, "carrier: tls(");
  await assertRejects(() => connect("tls://127.0.0.1:1"), TypeError);
});

/** A listener of which the first calls of `accept` fail. */
function failing(errors: Error[]): Deno.Listener<Deno.TcpConn, Deno.NetAddr> {
  const inner = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return {
    addr: inner.addr,
    accept() {
      const error = errors.shift();
      return error === undefined ? inner.accept() : Promise.reject(error);
    },
    close: () => inner.close(),
    ref: () => inner.ref(),
    unref: () => inner.unref(),
    [Symbol.dispose]: () => inner.close(),
    [Symbol.asyncIterator]: () => inner[Symbol.asyncIterator](),
  };
}

Deno.test("a failed accept is counted as such, and the next one is tried", async () => {
  const listener = failing([new Error("Too many open files (os error 24)")]);
  await using socket = new DatagramSocket(
    new BoundCarrier(listener, checkOptions({}), "tcp"),
  );
  await using client = await connect(socket.addr);
  await client.send("x");
  assertEquals((await socket.receive(SOON)).text(), "x");
  const { acceptFailed, reset } = socket.stats.connections!;
  assertEquals([acceptFailed, reset], [1, 0]);
  assertStringIncludes(
    describeReceived(socket.stats),
    ", 1 attempt to accept a connection failed",
  );
});

for (
  const error of [
    new Deno.errors.NotConnected("not connected (os error 107)"),
    new Deno.errors.ConnectionAborted("aborted (os error 103)"),
    new Deno.errors.ConnectionReset("reset (os error 104)"),
    new Error("Protocol error (os error 71)"),
    new Error("No route to host (os error 113)"),
  ]
) {
  Deno.test(`accepting goes on at once after ${error.message}; it is counted`, async () => {
    // With a pause after each it would take ten minutes.
    const count = 6_000;
    const listener = failing(Array(count).fill(error));
    await using socket = new DatagramSocket(
      new BoundCarrier(listener, checkOptions({}), "tcp"),
    );
    await using client = await connect(socket.addr);
    await client.send("x");
    assertEquals((await socket.receive(SOON)).text(), "x");
    const { acceptFailed, reset } = socket.stats.connections!;
    assertEquals([acceptFailed, reset], [0, count]);
  });
}

Deno.test("a bound socket's messages leave at once: none waits for a confirmation", async () => {
  const inner = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const set: unknown[] = [];
  const listener = {
    addr: inner.addr,
    async accept() {
      const conn = await inner.accept();
      const setNoDelay = conn.setNoDelay.bind(conn);
      conn.setNoDelay = (noDelay) => setNoDelay(set.push(noDelay) > 0);
      return conn;
    },
    close: () => inner.close(),
    ref: () => inner.ref(),
    unref: () => inner.unref(),
  } as Deno.TcpListener;
  await using socket = new DatagramSocket(
    new BoundCarrier(listener, checkOptions({}), "tcp"),
  );
  await using client = await connect(socket.addr);
  await client.send("x");
  await socket.receive(SOON);
  assertEquals(set, [true]);
});

Deno.test("messages that had arrived when a socket is closed are counted", async () => {
  const socket = bind(ANY);
  using conn = await dial(socket);
  await conn.say("one\ntwo\nthree\nhalf");
  assertEquals((await socket.receive(SOON)).text(), "one");
  socket.close();
  const { closed, incomplete } = socket.stats.dropped;
  assertEquals([closed, incomplete], [2, 1]);
  await socket[Symbol.asyncDispose]();
});

Deno.test("messages that wait for a peer when its connection breaks are counted", async () => {
  await using socket = bind(ANY);
  const conn = await dial(socket);
  await conn.say("x\n");
  const { from } = await socket.receive(SOON);
  let accepted = 0;
  await assertRejects(async () => {
    for (;; accepted++) await socket.send("y".repeat(60_000), from);
  }, Deno.errors.Busy);
  assertEquals(socket.stats.dropped["unsent"], 0);
  // It leaves with unread data, so its connection is reset.
  conn.close();
  const unsent = await counted(socket, (s) => s.dropped["unsent"]);
  const { sent, sendFailed } = socket.stats;
  assertEquals([sent, sendFailed], [accepted, 1]);
  assert(unsent >= 17 && unsent < accepted, `${unsent} of ${accepted}`);
  assertEquals(socket.stats.connections?.["broken"], 1);
});

Deno.test("a connection that breaks off is counted as broken, one that its peer ends is not", async () => {
  await using socket = bind(ANY);
  const [ending, breaking] = [await dial(socket), await dial(socket)];
  await ending.say("end\n");
  ending.close();
  assertEquals((await socket.receive(SOON)).text(), "end");
  await breaking.say("break\n");
  const { from } = await socket.receive(SOON);
  breaking.close();
  // The system resets the connection when more arrives at its closed end.
  while (await socket.send("x", from).then(() => true, () => false)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await socket[Symbol.asyncDispose]();
  assertEquals(socket.stats.connections?.["broken"], 1);
});
