/** What a store does when others move, remove, replace or empty its file. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import type { Store } from "../../lib/sinks/store.ts";
import { openStore } from "../../lib/sinks/store.ts";
import { StoreFile } from "../../lib/sinks/store/file.js";
import { StoreReader } from "../../lib/sinks/store/reader.ts";
import { idsOf, messages, testStore, until } from "./support/stores.ts";

/** The numbers in a file, which is intact. */
function idsIn(path: string): number[] {
  using db = new DatabaseSync(path, { readOnly: true });
  const [check] = db.prepare("PRAGMA integrity_check").all();
  assertEquals({ ...check }, { integrity_check: "ok" }, path);
  return db.prepare("SELECT id FROM messages ORDER BY id").all()
    .map(({ id }) => Number(id));
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

async function write(store: Store, from: number, to: number): Promise<void> {
  store.write(messages(from, to));
  await store.flush();
}

testStore(
  "that is moved again and again loses nothing: each message is in one file",
  async (path, open, trouble) => {
    const stored: number[] = [];
    const store = await open({
      durable: true,
      onStored: (batch) => void stored.push(...idsOf(batch)),
    });
    const files = [path];
    let id = 0;
    for (let round = 1; round <= 20; round++) {
      for (let n = 0; n < 10; n++) {
        store.write(messages(id + 1, id += 1 + (round * n) % 40));
        // At a different moment in each round, once it has a file.
        if (n !== round % 10) continue;
        await until(() => existsSync(path));
        await new Promise((go) => setTimeout(go, round % 7));
        files.push(`${path}.${round}`);
        await Deno.rename(path, `${path}.${round}`);
      }
      await store.flush();
      // Also one that holds nothing yet.
      await until(() => existsSync(path));
      if (round % 5 > 0) continue;
      files.push(`${path}.empty${round}`);
      await Deno.rename(path, `${path}.empty${round}`);
      await until(() => existsSync(path));
      files.push(`${path}.emptier${round}`);
      await Deno.rename(path, `${path}.emptier${round}`);
    }
    await until(() => store.stats["waiting"] === 0);
    await store.close();
    assertEquals(stored, numbers(1, id));
    assertEquals(
      files.filter(hasMessages).flatMap(idsIn).sort((a, b) => a - b),
      numbers(1, id),
    );
    assertEquals(store.stats, { stored: id, waiting: 0, notStored: 0 });
    assert(trouble.every((line) => line.includes("was moved:")), `${trouble}`);
  },
);

/** Whether a file was created completely before it was moved. */
function hasMessages(path: string): boolean {
  if (!existsSync(path) || Deno.statSync(path).size === 0) return false;
  using db = new DatabaseSync(path, { readOnly: true });
  return db.prepare("SELECT 1 FROM sqlite_schema").get() !== undefined;
}

function existsSync(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

testStore("that is moved is complete there at once", async (path, open) => {
  const store = await open();
  await write(store, 1, 100);
  Deno.renameSync(path, `${path}.1`);
  // It notices that while nothing is written.
  await until(() => existsSync(path));
  assertEquals(idsIn(`${path}.1`), numbers(1, 100));
  await write(store, 101, 110);
  assertEquals(idsOf(store.latest(3)), [108, 109, 110]);
  await store.close();
  assertEquals(idsIn(path), numbers(101, 110));
});

testStore(
  "that is moved begins a file of another identity",
  async (path, open) => {
    const store = await open();
    const { identity } = store;
    await write(store, 1, 10);
    store.saveCheckpoint("broker", 7);
    await until(() => checkpointIn(path) === 7);
    Deno.renameSync(path, `${path}.1`);
    await write(store, 11, 20);
    assert(store.identity !== identity);
    await store.close();
    const again = await open();
    // What was not published from the file before is missing, and can be reported.
    assertEquals([again.lastId, again.checkpoint("broker")], [20, 7]);
    await again.close();
  },
);

function checkpointIn(path: string): number {
  using db = new DatabaseSync(path);
  return Number(db.prepare("SELECT id FROM handed_on").get()?.["id"]);
}

testStore(
  "that is moved just before the end is complete there",
  async (path, open) => {
    const store = await open();
    await write(store, 1, 100);
    Deno.renameSync(path, `${path}.1`);
    await store.close();
    assertEquals(idsIn(`${path}.1`), numbers(1, 100));
    // Nothing is left at its path.
    for (const end of ["", "-wal", "-shm"]) {
      assertEquals(existsSync(path + end), false, end);
    }
  },
);

testStore(
  "that is moved while another process reads it serves that process right",
  async (path, open) => {
    const store = await open();
    await write(store, 1, 1000);
    using reader = new StoreReader(path);
    const read = reader.select({});
    assertEquals(read.next().value?.id, 1);
    Deno.renameSync(path, `${path}.1`);
    await write(store, 1001, 3000);
    for (let id = 2; id <= 1000; id++) assertEquals(read.next().value?.id, id);
    assertEquals(read.next().done, true);
    await store.close();
    assertEquals(idsIn(path), numbers(1001, 3000));
  },
);

for (
  const [what, remove] of [
    ["removed", (path) => Deno.removeSync(path)],
    ["removed with its log", (path) => {
      for (const end of ["", "-wal", "-shm"]) Deno.removeSync(path + end);
    }],
    ["removed, and an empty file put in its place", (path) => {
      Deno.removeSync(path);
      Deno.writeTextFileSync(path, "");
    }],
  ] satisfies [string, (path: string) => void][]
) {
  testStore(
    `that is ${what} is written to the disk again`,
    async (path, open, trouble) => {
      const store = await open({ durable: true });
      await write(store, 1, 100);
      remove(path);
      await write(store, 101, 110);
      assertEquals(idsIn(path), numbers(1, 110));
      assertEquals(trouble, [
        `"${path}" was removed: its messages are written to the disk again`,
      ]);
      remove(path);
      await store.close();
      assertEquals(idsIn(path), numbers(1, 110));
      assertEquals(store.stats, { stored: 110, waiting: 0, notStored: 0 });
    },
  );
}

testStore(
  "whose folder is gone lets messages wait, and is saved when it is back",
  async (path, open, trouble) => {
    const folder = `${path}.d`;
    await Deno.mkdir(folder);
    const store = await openStore(`${folder}/m.db`, {
      onTrouble: (line) => void trouble.push(line),
    });
    await write(store, 1, 100);
    await Deno.remove(folder, { recursive: true });
    await write(store, 101, 110);
    assertEquals(store.stats, { stored: 100, waiting: 10, notStored: 0 });
    assertStringIncludes(trouble[0]!, "it cannot be opened");
    await Deno.mkdir(folder);
    await until(() => store.stats["waiting"] === 0);
    assertEquals(idsIn(`${folder}/m.db`), numbers(1, 110));
    await store.close();
    await open().then((store) => store.close());
  },
);

testStore(
  "whose folder is replaced by a file stays complete where it is, and counts the rest",
  async (path, _, trouble) => {
    const folder = `${path}.d`;
    await Deno.mkdir(folder);
    const onTrouble = (line: string) => void trouble.push(line);
    const store = await openStore(`${folder}/m.db`, { onTrouble });
    await write(store, 1, 100);
    await Deno.rename(folder, `${folder}.1`);
    await Deno.writeTextFile(folder, "");
    await write(store, 101, 110);
    assertEquals(store.stats, { stored: 100, waiting: 10, notStored: 0 });
    assertEquals(idsIn(`${folder}.1/m.db`), numbers(1, 100));
    await store.close();
    const { gone, ...stats } = store.stats;
    assertEquals(stats, { stored: 100, waiting: 0, notStored: 10 });
    // Without all permissions Deno cannot tell that from a removal.
    const fate = gone === undefined
      ? "was moved: its messages are complete there"
      : "was removed: at most 100 messages gone";
    assertStringIncludes(trouble.join("\n"), fate);
    assertEquals(idsIn(`${folder}.1/m.db`), numbers(1, 100));
  },
);

testStore(
  "that is emptied after it was copied has the rest (copytruncate)",
  async (path, open, trouble) => {
    const stored: number[] = [];
    const store = await open({
      durable: true,
      onStored: (batch) => void stored.push(...idsOf(batch)),
    });
    const copies: number[] = [];
    let id = 0;
    for (let round = 1; round <= 5; round++) {
      for (let n = 0; n < 20; n++) {
        store.write(messages(id + 1, id += 50));
        await new Promise((go) => setTimeout(go, 5));
      }
      await runs("cp", path, `${path}.${round}`);
      Deno.truncateSync(path);
      store.write(messages(id + 1, id += 50));
      await store.flush();
      copies.push(...idsIn(`${path}.${round}`));
    }
    await store.close();
    const all = new Set([...copies, ...idsIn(path)]);
    assertEquals(stored, numbers(1, id));
    assertEquals(stored.filter((id) => !all.has(id)), []);
    assert(trouble.every((line) => line.includes("was emptied")), `${trouble}`);
  },
);

testStore(
  "that is emptied right after it was opened begins again",
  async (path, open, trouble) => {
    const first = await open();
    await write(first, 1, 2000);
    await first.close();
    const store = await open();
    Deno.truncateSync(path);
    await write(store, 2001, 2010);
    await store.close();
    assertEquals(idsIn(path), numbers(2001, 2010));
    assertEquals(store.stats["gone"], 2000);
    assertEquals(trouble.length, 1, `${trouble}`);
  },
);

/** Whether the file is as large as it is with its log. */
function isFolded(path: string): boolean {
  using db = new DatabaseSync(path, { readOnly: true });
  const [{ size = 0 } = {}] = db.prepare(
    "SELECT page_count * page_size AS size FROM pragma_page_count, pragma_page_size",
  ).all();
  return Deno.statSync(path).size >= Number(size);
}

testStore(
  "that is cut short lets messages wait until it is moved away",
  async (path, open, trouble) => {
    const store = await open();
    await write(store, 1, 5000);
    await until(() => isFolded(path));
    Deno.truncateSync(path, 50_000);
    store.write(messages(5001, 5010));
    await until(() => trouble.length > 0);
    assertStringIncludes(trouble[0]!, "another program cut it short");
    assertEquals(store.stats, { stored: 5000, waiting: 10, notStored: 0 });
    Deno.renameSync(path, `${path}.1`);
    await until(() => store.stats["waiting"] === 0);
    assertEquals(idsIn(path).slice(-10), numbers(5001, 5010));
    await store.close();
  },
);

/** SQLite's own command, in another process: it needs all permissions. */
async function vacuum(path: string): Promise<void> {
  const code = `import { DatabaseSync } from "node:sqlite";
    new DatabaseSync(${JSON.stringify(path)}).exec("VACUUM");`;
  await runs(Deno.execPath(), "eval", code);
}

/** Runs a command to its end. */
async function runs(command: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args })
    .output();
  assert(success, new TextDecoder().decode(stderr));
}

testStore(
  "that another program makes smaller is not taken for one that was cut",
  async (path, open, trouble) => {
    const store = await open({ keepRows: 10 });
    await write(store, 1, 5000);
    await write(store, 5001, 5002);
    const { size } = Deno.statSync(path);
    await until(() => Deno.statSync(path).size > 100_000);
    await vacuum(path);
    await until(() => Deno.statSync(path).size < 100_000);
    await write(store, 5003, 5004);
    await store.close();
    assertEquals(trouble, [], `${size}`);
    assertEquals(idsIn(path), numbers(4995, 5004));
  },
);

testStore(
  "that is replaced by an earlier copy goes on in it, and counts what is gone",
  async (path, open, trouble) => {
    const store = await open();
    await write(store, 1, 10);
    await store.close();
    Deno.copyFileSync(path, `${path}.copy`);
    const next = await open();
    await write(next, 11, 5000);
    await until(() => Deno.statSync(path).size > 100_000);
    // What was stored a moment ago is written again; it is older than that.
    await new Promise((go) => setTimeout(go, 1600));
    Deno.renameSync(`${path}.copy`, path);
    await write(next, 5001, 5010);
    await next.close();
    assertEquals(idsIn(path), [...numbers(1, 10), ...numbers(5001, 5010)]);
    assertEquals(trouble.length, 1);
    assertStringIncludes(trouble[0]!, "was replaced by another file");
    assertEquals(next.stats, {
      stored: 5000,
      waiting: 0,
      notStored: 0,
      gone: 5000,
    });
  },
);

testStore(
  "that is replaced by one with higher numbers lets messages wait",
  async (path, open, trouble) => {
    const other = await openStore(`${path}.other`);
    await write(other, 1, 500);
    await other.close();
    const store = await open();
    await write(store, 1, 10);
    Deno.renameSync(path, `${path}.1`);
    Deno.renameSync(`${path}.other`, path);
    await write(store, 11, 20);
    assertStringIncludes(trouble.at(-1)!, "with higher numbers; move it away");
    assertEquals(store.stats, { stored: 10, waiting: 10, notStored: 0 });
    Deno.renameSync(path, `${path}.other`);
    await until(() => store.stats["waiting"] === 0);
    await store.close();
    assertEquals(idsIn(path), numbers(11, 20));
    assertEquals(idsIn(`${path}.1`), numbers(1, 10));
    assertEquals(idsIn(`${path}.other`), numbers(1, 500));
  },
);

for (
  const [what, place] of [
    ["that is not there", () => {}],
    ["that is empty", (path) => Deno.writeTextFileSync(path, "")],
    ["that was restored", (path) => Deno.copyFileSync(`${path}.copy`, path)],
    ["that a link leads to", (path) => {
      Deno.mkdirSync(`${path}.d`);
      Deno.renameSync(`${path}-wal`, `${path}.d/real.db-wal`);
      // Deno creates no file through a link without all permissions.
      Deno.writeTextFileSync(`${path}.d/real.db`, "");
      Deno.symlinkSync(`${path}.d/real.db`, path);
    }],
  ] satisfies [string, (path: string) => void][]
) {
  testStore(
    `${what} sets the log of another file aside, which is complete with it`,
    async (path, open, trouble) => {
      const copied = await open();
      await write(copied, 1, 10);
      await copied.close();
      Deno.copyFileSync(path, `${path}.copy`);
      const killed = await open();
      await write(killed, 11, 20);
      // As a killed server leaves it.
      Deno.copyFileSync(path, `${path}.k`);
      Deno.copyFileSync(`${path}-wal`, `${path}.k-wal`);
      await killed.close();
      Deno.renameSync(`${path}.k-wal`, `${path}-wal`);
      Deno.renameSync(`${path}.k`, `${path}.old`);
      Deno.removeSync(path);
      place(path);
      const store = await open();
      const target = Deno.realPathSync(path);
      const aside = `${target}-wal.orphan`;
      await until(() => trouble.length > 0);
      assertStringIncludes(trouble[0]!, aside);
      await write(store, store.lastId + 1, store.lastId + 5);
      await store.close();
      assertEquals(idsIn(path).length, what.includes("restored") ? 15 : 5);
      Deno.renameSync(aside, `${path}.old-wal`);
      assertEquals(idsIn(`${path}.old`), numbers(1, 20));
    },
  );
}

testStore(
  "of the schema before is upgraded, and keeps what it has",
  async (path, open) => {
    const store = await open();
    await write(store, 1, 10);
    await store.close();
    {
      using db = new DatabaseSync(path);
      db.exec("ALTER TABLE store DROP COLUMN opening; DROP TABLE epochs");
      db.exec("PRAGMA user_version = 1");
    }
    using reader = new StoreReader(path);
    assertEquals(reader.lastId, 10);
    const again = await open();
    assertEquals(again.lastId, 10);
    await write(again, 11, 12);
    await again.close();
    assertEquals(idsIn(path), numbers(1, 12));
  },
);

testStore(
  "that is moved, with another store and its log copied over it, loses nothing",
  async (path, open, trouble) => {
    const other = await openStore(`${path}.k`);
    await write(other, 1, 5);
    for (const end of ["", "-wal"]) {
      Deno.copyFileSync(`${path}.k${end}`, `${path}.killed${end}`);
    }
    await other.close();
    const store = await open();
    await write(store, 1, 1000);
    await until(() => Deno.statSync(path).size > 30_000);
    await write(store, 1001, 1010);
    Deno.renameSync(path, `${path}.1`);
    for (const end of ["", "-wal"]) {
      Deno.copyFileSync(`${path}.killed${end}`, `${path}${end}`);
    }
    await write(store, 1011, 1020);
    await store.close();
    const all = [...idsIn(path), ...idsIn(`${path}.1`)];
    assertEquals(numbers(1, 1020).filter((id) => !all.includes(id)), []);
    assertStringIncludes(trouble[0]!, "and its log overwritten");
  },
);

testStore(
  "whose log another program has folded into it is complete when it is moved",
  async (path, open, trouble) => {
    const store = await open();
    await write(store, 1, 1000);
    {
      using other = new DatabaseSync(path);
      other.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    }
    assertEquals(Deno.statSync(`${path}-wal`).size, 0);
    Deno.renameSync(path, `${path}.1`);
    await write(store, 1001, 1010);
    await store.close();
    assertEquals(idsIn(`${path}.1`), numbers(1, 1000));
    assertEquals(idsIn(path), numbers(1001, 1010));
    assertStringIncludes(trouble[0]!, "complete there");
  },
);

testStore(
  "whose log others have emptied writes what was in it to the next file",
  async (path, open, trouble) => {
    const store = await open();
    await write(store, 1, 1000);
    await write(store, 1001, 1010);
    Deno.truncateSync(`${path}-wal`);
    Deno.renameSync(path, `${path}.1`);
    await write(store, 1011, 1020);
    await store.close();
    assertEquals(idsIn(path).slice(-20), numbers(1001, 1020));
    assertStringIncludes(trouble[0]!, "and its log overwritten");
  },
);

Deno.test("a file that was moved before SQLite had opened it stays empty", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = new StoreFile(`${folder}/messages.db`);
    file.markWithoutLog();
    file.close();
    assertEquals(Deno.statSync(`${folder}/messages.db`).size, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (
  const [what, harm, gone] of [
    ["removed", (path) => Deno.removeSync(path), 0],
    ["emptied", (path) => Deno.truncateSync(path), 0],
    ["cut short", (path) => Deno.truncateSync(path, 8192), 1010],
    ["replaced by something else", (path) => {
      Deno.removeSync(path);
      Deno.writeTextFileSync(path, "something else");
    }, 1010],
    ["removed with its folder", (path) => {
      Deno.removeSync(path.replace(/\/[^/]*$/, ""), { recursive: true });
    }, 1010],
  ] satisfies [string, (path: string) => void, number][]
) {
  testStore(
    `that is ${what} just before the end ${
      gone > 0 ? "counts" : "saves"
    } what was in it`,
    async (path, open, trouble) => {
      const folder = `${path}.d`;
      Deno.mkdirSync(folder);
      const inside = `${folder}/m.db`;
      const onTrouble = (line: string) => void trouble.push(line);
      const store = await openStore(inside, { onTrouble });
      await write(store, 1, 1000);
      await until(() => Deno.statSync(inside).size > 30_000);
      await write(store, 1001, 1010);
      harm(inside);
      await store.close();
      assertEquals(store.stats, {
        stored: 1010,
        waiting: 0,
        notStored: 0,
        ...(gone > 0 && { gone }),
      });
      assert(trouble.some((line) => line.includes("was ")), `${trouble}`);
      if (gone === 0) assertEquals(idsIn(inside), numbers(1, 1010));
      await (await open()).close();
    },
  );
}
