import { assert, assertEquals, assertMatch } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { connect, type ConnectedSocket } from "../../mod.ts";
import { StoreReader } from "../../lib/sinks/store/reader.ts";
import { pattern, SOON, turn } from "../support/helpers.ts";
import { fullDisk } from "./support/full_disk.ts";
import { Program, run, startServer } from "./support/programs.ts";
import { counted, flags, test } from "./support/server_stores.ts";

const HISTORY = "lib/programs/history.ts";

test("each message of a unix: server keeps its sender, also an abstract one", async (path) => {
  const to = { transport: "unixpacket", path: `${path}.sock` } as const;
  const flags = ["-A"];
  await using server = new Program("server.ts", [
    ...[`unix:${to.path}`, "--store", path, "--count", "4"],
  ], { flags });
  await server.said(/^listening on /);
  const name = `\0${path}`;
  const senders = [name, `${path}.b`, `${name}\0%\0c`, `${path}.d`];
  for (const from of senders) {
    const socket = Deno.listenDatagram({ transport: "unixpacket", path: from });
    await socket.send(new TextEncoder().encode(`from ${from}`), to);
    socket.close();
  }
  assertEquals((await server.ended()).code, 0);
  const { code, stdout } = await run(HISTORY, [path, "--format", "json"], {
    flags: ["--allow-read"],
  });
  assertEquals(code, 0);
  const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ text }) => text), senders.map((s) => `from ${s}`));
  assertEquals(lines.map(({ from }) => from), [
    `unix:@${path}`,
    `unix:${path}.b`,
    `unix:@${path}%00%25%00c`,
    `unix:${path}.d`,
  ]);
});

test("server --store without permission prints the whole command, and that command works", async (path) => {
  const args = ["127.0.0.1:0", "--timeout", "50ms", "--store", path];
  const { code, stderr } = await run("server.ts", args);
  assertEquals(code, 2);
  const [, flags = ""] = /run: deno run (.*) server\.ts/.exec(stderr) ?? [];
  const again = await run("server.ts", args, { flags: flags.split(" ") });
  assertEquals(again.code, 3);
});

test("server --receipt answers with the number and the size once it is on disk", async (path) => {
  await using server = await startServer(
    ["--store", path, "--receipt"],
    flags(path),
  );
  await using client = await connect(server.address);
  for (let id = 1; id <= 3; id++) {
    const reply = await client.request("x".repeat(id), SOON);
    assertEquals(JSON.parse(reply.text()), { id, size: id });
    using store = new StoreReader(path);
    assertEquals(store.latest(1)[0]?.datagram.text(), "x".repeat(id));
  }
});

test("a message with a receipt survives kill -9 in the middle of a burst, 20 times of 20", async (path) => {
  const receipts: { id: number; size: number }[] = [];
  for (let round = 1; round <= 20; round++) {
    const before = receipts.length;
    await using server = await startServer(
      ["--store", path, "--receipt"],
      flags(path),
    );
    await using client = await connect(server.address);
    const over = new AbortController();
    const sending = burst(client, over.signal);
    // At a different moment in each round.
    while (receipts.length < before + 20 * round) {
      receipts.push(JSON.parse((await client.receive(SOON)).text()));
    }
    server.kill("SIGKILL");
    await server.ended();
    over.abort();
    await sending;
    for (;;) {
      const late = await client.tryReceive();
      if (late === undefined) break;
      receipts.push(JSON.parse(late.text()));
    }
  }
  using store = new StoreReader(path);
  const stored = new Map(
    [...store.select({})].map(({ id, datagram }) => [id, datagram.data]),
  );
  assertEquals(new Set(receipts.map(({ id }) => id)).size, receipts.length);
  for (const { id, size } of receipts) {
    assertEquals(stored.get(id), pattern(size), `message ${id}`);
  }
});

/** Sends until it is stopped. The system may drop any number of them. */
async function burst(
  client: ConnectedSocket,
  over: AbortSignal,
): Promise<void> {
  for (let n = 0; !over.aborted; n++) {
    await client.send(pattern(n % 500));
    // Lets receipts be read meanwhile.
    if (n % 50 === 49) await turn();
  }
}

test("a locked store: one line, the server goes on, and stores the messages later", async (path) => {
  await using server = await startServer(
    ["--store", path, "--receipt", "--format", "json"],
    flags(path),
  );
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  await using client = await connect(server.address);
  for (let n = 0; n < 100; n++) await client.send("x");
  await server.said(
    /^Cannot store messages in .*: another process has it locked/,
  );
  assertEquals(await client.tryReceive(), undefined);
  other.exec("COMMIT");
  other.close();
  for (let n = 0; n < 100; n++) await client.receive(SOON);
  server.kill("SIGINT");
  const { received, sinks } = counted(await server.ended());
  assertEquals([received, sinks.store.stored], [100, 100]);
});

for (
  const [what, prepare] of [
    ["is damaged", (path) => Deno.writeTextFile(path, "x".repeat(5000))],
    ["cannot be written", (path) => Deno.mkdir(path)],
  ] satisfies [string, (path: string) => Promise<void>][]
) {
  test(`a store that ${what}: one line, the server receives, and counts what it does not store`, async (path) => {
    await prepare(path);
    await using server = await startServer(
      ["--store", path, "--receipt", "--format", "json", "--count", "5"],
      flags(path),
    );
    await using client = await connect(server.address);
    for (let n = 0; n < 5; n++) await client.send("x");
    const result = await server.ended();
    assertEquals(result.stdout.trimEnd().split("\n").length, 5);
    const { received, sent, sinks } = counted(result);
    assertEquals([received, sent, sinks.store.notStored], [5, 0, 5]);
    const lines = result.stderr.trimEnd().split("\n");
    assertEquals(lines.length, 3, result.stderr);
    assertMatch(lines[0]!, /^Cannot store messages in .*; going on without$/);
  });
}

Deno.test("a full disk: one line, no receipt for what is not stored, and it stores again later", async () => {
  await using disk = await fullDisk();
  const path = `${disk.folder}/messages.db`;
  await using server = await startServer(
    [
      ...["--store", path, "--receipt", "--format", "json"],
      ...["--stats-every", "200ms"],
    ],
    { flags: ["-A"], under: disk.under },
  );
  await using client = await connect(server.address);
  const data = pattern(1000);
  let receipts = 0;
  const counting = (async () => {
    for await (const _ of client) receipts++;
  })();
  let isFull = false;
  const full = server.said(
    new RegExp(`^Cannot store messages in .*: ${disk.reason}`),
  )
    .then(() => isFull = true);
  let sent = 0;
  // A thousand more messages then wait.
  for (let left = 1000; left > 0;) {
    await client.send(data);
    sent++;
    if (isFull) left--;
    // The socket's buffer holds only a few.
    if (sent % 20 === 0) await new Promise((go) => setTimeout(go, 1));
  }
  await full;
  const atFull = receipts;
  assert(atFull < sent, `${atFull} receipts`);
  await disk.makeRoom(server.pid);
  await server.said(/^messages are stored in .* again$/);
  // Until the server has counted all of them.
  for (;;) {
    const [line] = await server.said(/^\{.*\}$/);
    const { received, kernelDrops } = JSON.parse(line);
    if (received + kernelDrops === sent) break;
  }
  server.kill("SIGINT");
  const { received, kernelDrops, sinks, sent: answers } = counted(
    await server.ended(),
  );
  assertEquals(received + kernelDrops, sent);
  const { stored, waiting, notStored } = sinks.store;
  assertEquals([stored + notStored, waiting], [received, 0]);
  assert(stored > atFull, `${stored} stored`);
  assertEquals(answers, stored);
  client.close();
  await counting;
  assert(receipts <= stored);
});
