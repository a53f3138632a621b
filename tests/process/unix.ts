import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { bind, connect, SocketClosedError } from "../../mod.ts";
import { SOON } from "../support/helpers.ts";
import { Program, run } from "./support/programs.ts";

/** A path in a folder of its own, which goes when the test ends. */
async function withPath(test: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(`${folder}/pli.sock`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function exists(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSocket === true;
  } catch {
    return false;
  }
}

/** What a crash leaves: a socket's file that nobody listens on. */
function leaveStale(path: string): void {
  Deno.listenDatagram({ transport: "unixpacket", path }).close();
}

Deno.test("unix: carries datagrams with their boundaries, one way", () =>
  withPath(async (path) => {
    await using socket = bind(`unix:${path}`);
    await using client = await connect(`unix:${path}`);
    assertEquals(socket.addr, { transport: "unixpacket", path });
    assertEquals(client.remote, { transport: "unixpacket", path });
    for (const size of [0, 1, 1472, 65_507, 65_527]) {
      const message = crypto.getRandomValues(new Uint8Array(size));
      await client.send(message);
      const { data, truncated } = await socket.receive();
      assertEquals([data, truncated], [message, false]);
    }
    assertEquals(socket.stats.received, 5);
  }));

Deno.test("unix: the file is removed on close", () =>
  withPath(async (path) => {
    {
      await using _socket = bind(`unix:${path}`);
      assertEquals(exists(path), true);
    }
    assertEquals(exists(path), false);
  }));

Deno.test("unix: close leaves a file that another program has put there since", () =>
  withPath(async (path) => {
    const socket = bind(`unix:${path}`);
    await Deno.remove(path);
    await using other = bind(`unix:${path}`);
    socket.close();
    assertEquals(exists(path), true);
    await using client = await connect(`unix:${path}`);
    await client.send("for the other");
    assertEquals((await other.receive()).text(), "for the other");
  }));

Deno.test("unix: a stale file is replaced, because nothing listens on it", () =>
  withPath(async (path) => {
    leaveStale(path);
    await using socket = bind(`unix:${path}`);
    await socket.opened;
    await using client = await connect(`unix:${path}`);
    await client.send("hello");
    assertEquals((await socket.receive()).text(), "hello");
  }));

Deno.test("unix: closing while a stale file is examined leaves nothing open", () =>
  withPath(async (path) => {
    leaveStale(path);
    const socket = bind(`unix:${path}`);
    const receiving = assertRejects(() => socket.receive(), SocketClosedError);
    socket.close();
    await receiving;
    await socket.opened;
  }));

Deno.test("unix: a path that another socket listens on is in use, and keeps working", () =>
  withPath(async (path) => {
    await using first = bind(`unix:${path}`);
    await using second = bind(`unix:${path}`);
    await assertRejects(() => second.opened, Deno.errors.AddrInUse);
    await assertRejects(() => second.receive(), Deno.errors.AddrInUse, path);
    await second[Symbol.asyncDispose]();
    await using client = await connect(`unix:${path}`);
    await client.send("still yours");
    assertEquals((await first.receive()).text(), "still yours");
  }));

Deno.test("unix: a file that is not a socket is in use, and stays", () =>
  withPath(async (path) => {
    await Deno.writeTextFile(path, "precious");
    assertThrows(() => bind(`unix:${path}`), Deno.errors.AddrInUse, path);
    assertEquals(await Deno.readTextFile(path), "precious");
  }));

Deno.test("unix: a bound socket rejects sends, a connected one receives", () =>
  withPath(async (path) => {
    await using socket = bind(`unix:${path}`);
    await using client = await connect(`unix:${path}`);
    await assertRejects(
      () => socket.send("x", `unix:${path}`),
      Deno.errors.NotSupported,
      "a bound unix socket only receives",
    );
    await assertRejects(
      () => client.receive(),
      Deno.errors.NotSupported,
      "a connected unix socket only sends",
    );
    await assertRejects(() => client.request("x"), Deno.errors.NotSupported);
  }));

Deno.test("unix: a send to a path without a socket rejects", () =>
  withPath(async (path) => {
    await using client = await connect(`unix:${path}`);
    await assertRejects(() => client.send("x"), Deno.errors.NotFound, path);
    leaveStale(path);
    const error = await assertRejects(
      () => client.send("x"),
      Deno.errors.ConnectionRefused,
    );
    assertInstanceOf(error.cause, Deno.errors.ConnectionRefused);
    assertEquals(client.stats.sendFailed, 2);
  }));

Deno.test("unix: sends to a peer that reads nothing time out; the socket goes on", () =>
  withPath(async (path) => {
    await using socket = bind(`unix:${path}`);
    await using client = await connect(`unix:${path}`);
    let next = 0;
    const send = () =>
      client.send(`${next++}`, { timeoutMs: 20 })
        .then(() => undefined, (error) => error as Error);
    // The system lets some wait at the receiver, then makes the sender wait. On a
    // busy machine one may be late before that.
    const sent: number[] = [];
    for (let failed = 0; failed < 5;) {
      const error = await send();
      failed = error === undefined ? 0 : failed + 1;
      if (error === undefined) sent.push(next - 1);
      else {assert(
          error instanceof Deno.errors.TimedOut && error.message.includes(path),
        );}
    }
    const waiting = await Promise.all(Array.from({ length: 100 }, send));
    assertEquals(
      new Set(waiting.map((error) => error?.name)),
      new Set(["TimedOut"]),
    );
    assertEquals(client.stats.sendFailed, next - sent.length);
    // The system had been given some, which may still arrive, and does. What still
    // waited for its turn was never sent.
    const received: number[] = [];
    const again = client.send("again", SOON);
    for (;;) {
      const text = (await socket.receive(SOON)).text();
      if (text === "again") break;
      received.push(Number(text));
    }
    await again;
    assertEquals(received, received.toSorted((a, b) => a - b));
    assertEquals(sent.filter((n) => !received.includes(n)), []);
    assert(received.every((n) => n < next - waiting.length), `${received}`);
  }));

Deno.test("unix: a run to a peer that reads nothing times out; a later one waits for it", () =>
  withPath(async (path) => {
    await using socket = bind(`unix:${path}`);
    await socket.opened;
    await using client = await connect(`unix:${path}`);
    const error = await client.sendRun(new Uint8Array(100_000), 1000, {
      timeoutMs: 20,
    }).catch((error) => error);
    assertInstanceOf(error, Deno.errors.TimedOut);
    assertEquals(error.message.match(/Cannot send/g)?.length, 1);
    const { sent } = client.stats;
    assertEquals((error as { sent?: number }).sent, sent);
    assertEquals(client.stats.sendFailed, 100 - sent);
    const later = client.sendRun(new Uint8Array(100_000).fill(1), 1000, SOON);
    const received = [0, 0];
    for await (const run of socket.runs({ reuse: true, ...SOON })) {
      for (const [which = 0] of run) received[which]!++;
      if (received[1] === 100) break;
    }
    assertEquals(await later, 100);
    // The datagram that was given up on arrives as well, if it had been given to
    // the system.
    assert([sent, sent + 1].includes(received[0]!), `${received}, ${sent}`);
  }));

Deno.test("unix: bind and send name the permission that is missing", () =>
  withPath(async (path) => {
    const server = await run("server.ts", [`unix:${path}`], { flags: [] });
    assertEquals(server.code, 2);
    assertEquals(
      server.stderr,
      `Cannot listen on unix:${path} without permission; run: deno run ` +
        `--allow-net=unix:${path} --allow-read=${path} ` +
        `--allow-write=${path} server.ts unix:${path}\n`,
    );
    const client = await run("client.ts", ["--to", `unix:${path}`, "x"], {
      flags: [],
    });
    assertEquals(
      client.stderr,
      `Cannot send to unix:${path} without permission; run: deno run ` +
        `--allow-net=unix:${path} --allow-write=${path} ` +
        `client.ts --to unix:${path} x\n`,
    );
  }));

Deno.test("unix: the programs work with just the permissions that they name", () =>
  withPath(async (path) => {
    leaveStale(path);
    const net = `--allow-net=unix:${path}`;
    const write = `--allow-write=${path}`;
    const flags = [net, `--allow-read=${path}`, write];
    const args = [`unix:${path}`, "--once"];
    await using server = new Program("server.ts", args, { flags });
    await server.said(/^listening on unix:/);
    const second = await run("server.ts", [`unix:${path}`], { flags });
    assertEquals(second.code, 2);
    const client = await run("client.ts", ["--to", `unix:${path}`, "hello"], {
      flags: [net, write],
    });
    assertEquals([client.code, client.stderr], [
      0,
      "sent 1 message (5 bytes)\n",
    ]);
    const { code, stdout } = await server.ended();
    assertEquals(code, 0);
    assertEquals(stdout.endsWith("  unix:  5 bytes  hello\n"), true, stdout);
    assertEquals(exists(path), false);
  }));
