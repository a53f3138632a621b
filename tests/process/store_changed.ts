/** What a store does when others replace, empty or change its file. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openStore } from "../../lib/sinks/store.ts";
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
