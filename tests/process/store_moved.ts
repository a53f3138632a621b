/** What a store does when others move or remove its file. */
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { StoreFile } from "../../lib/sinks/store/file.js";
import { StoreReader } from "../../lib/sinks/store/reader.ts";
import { until } from "../support/helpers.ts";
import {
  idsIn,
  idsOf,
  messages,
  numbers,
  testStore,
  write,
} from "./support/stores.ts";

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
