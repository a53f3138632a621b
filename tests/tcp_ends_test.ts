import { assert, assertEquals, assertRejects } from "@std/assert";
import { bind, connect, serve } from "../mod.ts";
import { tcp } from "../lib/carriers/tcp.ts";
import { Backlogs } from "../lib/carriers/backlog.ts";
import { Connection } from "../lib/carriers/tcp/connection.ts";
import { noLosses } from "../lib/carriers/tcp/losses.ts";
import { checkOptions } from "../lib/carriers/tcp/limits.ts";
import { bytesOf, SOON } from "./support/helpers.ts";
import { ANY, dial, readAll } from "./support/streams.ts";

Deno.test("a peer that has closed its sending side gets its reply, then is disconnected", async () => {
  await using socket = bind(ANY);
  using conn = await dial(socket);
  await conn.say("question");
  await conn.closeWrite();
  const { from } = await socket.receive(SOON);
  assertEquals(await socket.tryReceive(), undefined);
  await socket.send("reply", from);
  assertEquals(await readAll(conn), "reply\n");
  const counts = Object.values(socket.stats.connections!);
  assertEquals(counts.every((n) => n === 0), true);
});

Deno.test("a socket that never replies disconnects a peer after its last message", async () => {
  await using socket = bind(ANY, { carrier: tcp({ replyMs: 0 }) });
  using conn = await dial(socket);
  await conn.say("one\nlast");
  await conn.closeWrite();
  assertEquals((await socket.receive(SOON)).text(), "one");
  assertEquals((await socket.receive(SOON)).text(), "last");
  assertEquals(await socket.tryReceive(), undefined);
  assertEquals(await readAll(conn), "");
});

Deno.test("a connection waits for missing replies, and half a second for further ones", async () => {
  const lines = [bytesOf("one\ntwo\n"), undefined];
  const read = (into: Uint8Array) => {
    const line = lines.shift();
    if (line !== undefined) into.set(line);
    return Promise.resolve(line?.length ?? null);
  };
  const write = (bytes: Uint8Array) => Promise.resolve(bytes.length);
  const connection = new Connection(
    { read, write } as unknown as Deno.Conn,
    { transport: "tcp", hostname: "127.0.0.1", port: 1 },
    {
      options: checkOptions({ replyMs: 5000 }),
      backlogs: new Backlogs(1000),
      losses: noLosses(),
    },
  );
  const buffer = new Uint8Array(10);
  await connection.read();
  while (connection.next(buffer) !== undefined);
  await connection.read();
  const isDone = (afterMs: number) =>
    connection.isDone(performance.now() + afterMs);
  assertEquals([connection.ended, isDone(9999)], [true, false]);
  connection.awaitReplies();
  assertEquals([isDone(4000), isDone(5000)], [false, true]);
  await connection.write(bytesOf("reply to one"));
  assertEquals([isDone(4000), isDone(5000)], [false, true]);
  await connection.write(bytesOf("reply to two"));
  assertEquals([isDone(100), isDone(500)], [false, true]);
});

Deno.test("a peer that gets no reply in time is disconnected, and not counted", async () => {
  const carrier = tcp({ replyMs: 20 });
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
    "that peer is not connected",
  );
  const counts = Object.values(socket.stats.connections!);
  assertEquals(counts.every((n) => n === 0), true);
});

Deno.test("receive rejects once the peer has left and all messages are received", async () => {
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

Deno.test("messages sent just before closing arrive, although replies are unread", async () => {
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

Deno.test("replies sent just before closing arrive", async () => {
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

Deno.test("a server that reads nothing is disconnected; send and receive reject", async () => {
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
