/** Servers and readers, while others move, copy and restore the files of a store. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { connect, errors } from "../../mod.ts";
import { SOON, turn, until } from "../support/helpers.ts";
import { Disk } from "./support/faults/disk.ts";
import { Subject } from "./support/faults/subject.ts";
import { fullDisk } from "./support/full_disk.ts";
import { ALL, counted, test } from "./support/server_stores.ts";
import { idsIn } from "./support/stores.ts";
import { run, startServer } from "./support/programs.ts";

const HISTORY = "lib/programs/history.ts";

test(
  "a message with a receipt outlives mv and kill -9: it is in a file, 20 times of 20",
  async (path, folder) => {
    const receipts: number[] = [];
    for (let round = 1; round <= 20; round++) {
      await using server = await startServer(
        ["--store", path, "--receipt"],
        ALL,
      );
      await using client = await connect(server.address);
      const over = new AbortController();
      const sending = (async () => {
        while (!over.signal.aborted) {
          await client.send("x");
          await turn();
        }
      })();
      const wanted = receipts.length + 5 * round;
      while (receipts.length < wanted) {
        receipts.push(JSON.parse((await client.receive(SOON)).text()).id);
        if (receipts.length === wanted - round) {
          Deno.renameSync(path, `${folder}/moved${round}.db`);
        }
      }
      server.kill("SIGKILL");
      await server.ended();
      over.abort();
      await sending;
    }
    // One that was killed before it noticed the move has left a log, which was set
    // aside when the next one began.
    const last = await startServer(["--store", path], ALL);
    last.kill("SIGINT");
    const { stderr } = await last.ended();
    assertEquals(/rror/.test(stderr), false, stderr);
    const orphans = namesIn(folder).filter((name) => name.includes(".orphan"));
    const ids = new Set<number>();
    for (const name of namesIn(folder)) {
      if (/^(messages|moved\d+)\.db$/.test(name)) {
        for (const id of idsIn(`${folder}/${name}`)) ids.add(id);
      }
    }
    const missing = new Set(receipts.filter((id) => !ids.has(id)));
    // Each log belongs to the file that was moved in that round.
    for (const orphan of orphans) {
      for (
        const moved of namesIn(folder).filter((n) => /^moved\d+\.db$/.test(n))
      ) {
        const copy = `${folder}/copy.db`;
        Deno.copyFileSync(`${folder}/${moved}`, copy);
        Deno.copyFileSync(`${folder}/${orphan}`, `${copy}-wal`);
        for (const id of readable(copy)) missing.delete(id);
      }
    }
    assertEquals([...missing], [], `${orphans.length} logs`);
  },
);

function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name);
}

/** The numbers in a file with a log, if they belong together. */
function readable(path: string): number[] {
  try {
    using db = new DatabaseSync(path);
    const [check] = db.prepare("PRAGMA integrity_check").all();
    if (check?.["integrity_check"] !== "ok") return [];
    return db.prepare("SELECT id FROM messages").all()
      .map(({ id }) => Number(id));
  } catch {
    return [];
  } finally {
    for (const end of ["-wal", "-shm"]) {
      try {
        Deno.removeSync(path + end);
      } catch {
        // SQLite has removed it.
      }
    }
  }
}

test(
  "history of an empty file leaves the log of the store that was moved away from there",
  async (path, folder) => {
    await using server = await startServer(["--store", path, "--receipt"], ALL);
    await using client = await connect(server.address);
    await client.request("one", SOON);
    server.kill("SIGSTOP");
    Deno.renameSync(path, `${folder}/moved.db`);
    Deno.writeTextFileSync(path, "");
    const { code, stderr } = await run(HISTORY, [path], ALL);
    assertEquals(code, 2);
    assertMatch(stderr, /it is empty/);
    server.kill("SIGKILL");
    await server.ended();
    Deno.renameSync(`${path}-wal`, `${folder}/moved.db-wal`);
    assertEquals(idsIn(`${folder}/moved.db`), [1]);
  },
);

test("a store that is removed under --receipt is there again when the receipt comes", async (path) => {
  await using server = await startServer(
    ["--store", path, "--receipt", "--format", "json"],
    // With no permission for what SQLite has beside it.
    {
      flags: [
        "--allow-net=127.0.0.1",
        `--allow-read=${path}`,
        `--allow-write=${path}`,
      ],
    },
  );
  await using client = await connect(server.address);
  await client.request("one", SOON);
  Deno.removeSync(path);
  await client.request("two", SOON);
  assertEquals(idsIn(path), [1, 2]);
  server.kill("SIGINT");
  const { sinks } = counted(await server.ended());
  assertEquals(sinks.store, { stored: 2, waiting: 0, notStored: 0 });
});

for (
  const [what, before] of [
    ["an existing store", (folder: string) => store(`${folder}/messages.db`)],
    ["a new store", () => ":"],
  ] as const
) {
  test(`a disk that is full at the start: ${what} gets the messages when there is room`, async () => {
    await using disk = await fullDisk(before("$DISK"));
    const path = `${disk.folder}/messages.db`;
    await using server = await startServer(
      ["--store", path, "--receipt", "--format", "json"],
      { ...ALL, under: disk.under, env: { DISK: disk.folder } },
    );
    await using client = await connect(server.address);
    await client.send("x".repeat(5000));
    await assertRejects(
      () => client.receive({ timeoutMs: 300 }),
      errors.TimedOut,
    );
    await disk.makeRoom(server.pid);
    const receipt = JSON.parse((await client.receive(SOON)).text());
    assertEquals(receipt, { id: what === "a new store" ? 1 : 2, size: 5000 });
    server.kill("SIGINT");
    const result = await server.ended();
    assertMatch(result.stderr, /; messages wait, and are counted\n/);
    const { sinks } = counted(result);
    assertEquals(sinks.store, { stored: 1, waiting: 0, notStored: 0 });
  });
}

Deno.test("a store that is moved on a full disk has what has a receipt, with its log", async () => {
  await using disk = await Disk.create();
  await using server = new Subject({
    ...{ disk, port: 0, pagePort: undefined, flags: ["-A"], redirection: "" },
    args: ["--store", disk.path, "--receipt", "--format", "json"],
  });
  const listening = /^listening on (\S+)$/m;
  await until(() => listening.test(server.stderr.text));
  const [, address = ""] = listening.exec(server.stderr.text)!;
  await using client = await connect(address);
  const text = "x".repeat(5000);
  for (let n = 0; n < 500; n++) await client.request(text, SOON);
  await disk.fill(server.pid);
  // A part of the log is in the file, the rest finds no room there.
  while (!server.stderr.text.includes("messages wait")) {
    await client.send(text);
    await turn();
  }
  assert(await disk.move());
  server.kill("SIGTERM");
  const { code } = await server.ended(10_000);
  assertEquals(code, 0, server.stderr.text);
  assertMatch(server.stderr.text, /put what is at its path and -wal beside it/);
  await disk.makeRoom(server.pid);
  await disk.sh(`mv ${disk.path}-wal ${disk.moved}-wal`);
  const rows = await disk.rows();
  const { stored } = server.totals!.sinks["store"]!;
  assert(stored! >= 500);
  assertEquals(rows.length, stored);
});

/** A shell command that makes a store with one message. */
function store(path: string): string {
  const deno = `${Deno.execPath()} run -A --quiet`;
  const server = `${deno} server.ts unix:${path}.sock --once --quiet`;
  const client = `${deno} client.ts --to unix:${path}.sock --quiet a`;
  return `( ${server} --store ${path} >/dev/null & until ${client}; do :; done; wait ) 2>/dev/null`;
}

test(
  "history reads a closed and a moved store from a folder that nobody may write to",
  async (path, folder) => {
    await using server = await startServer(["--store", path, "--receipt"], ALL);
    await using client = await connect(server.address);
    await client.request("old", SOON);
    Deno.renameSync(path, `${folder}/moved.db`);
    await client.request("new", SOON);
    server.kill("SIGINT");
    await server.ended();
    for (const [name, text] of [["moved.db", "old"], ["messages.db", "new"]]) {
      const result = await run(
        HISTORY,
        [`${folder}/${name}`, "--format", "raw"],
        { flags: ["--allow-read"], under: await readOnly(folder) },
      );
      assertEquals([result.code, result.stderr, result.stdout], [0, "", text]);
    }
  },
);

/** A command that runs a program for which that folder is read-only. */
async function readOnly(folder: string): Promise<string[]> {
  // This process has made it. To root no mode is a limit.
  if (Deno.statSync(folder).uid !== 0) {
    await Deno.chmod(folder, 0o555);
    return [];
  }
  const mount = `mount --bind ${folder} ${folder} && ` +
    `mount -o remount,bind,ro ${folder} && exec "$@"`;
  return ["unshare", "--mount", "sh", "-c", mount, "sh"];
}

test(
  "history --backup copies a store that is being written, complete and usable",
  async (path, folder) => {
    await using server = await startServer(["--store", path, "--receipt"], ALL);
    await using client = await connect(server.address);
    for (let n = 0; n < 100; n++) await client.request("x", SOON);
    const copy = `${folder}/copy.db`;
    const start = {
      flags: [`--allow-read=${path},${copy}`, `--allow-write=${copy}`],
    };
    const sending = (async () => {
      for (let n = 0; n < 100; n++) await client.request("y", SOON);
    })();
    const made = await run(HISTORY, [path, "--backup", copy], start);
    assertEquals([made.code, made.stdout, made.stderr], [0, "", ""]);
    await sending;
    const ids = idsIn(copy);
    assert(ids.length >= 100);
    assertEquals(ids, ids.map((_, i) => i + 1));
    assertEquals(namesIn(folder).filter((name) => /copy.db-/.test(name)), []);
    const again = await run(HISTORY, [path, "--backup", copy], start);
    assertEquals(again.code, 2);
    assertMatch(
      again.stderr,
      /^Cannot write the backup "[^\n]*exists[^\n]*\n$/,
    );
    server.kill("SIGINT");
    await server.ended();
    await using restored = await startServer(
      ["--store", copy, "--count", "1"],
      ALL,
    );
    await using after = await connect(restored.address);
    await after.send("z");
    assertEquals((await restored.ended()).code, 0);
    assertEquals(idsIn(copy).length, ids.length + 1);
  },
);
