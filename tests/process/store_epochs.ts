/** By what a message is known where stores are copied and restored. */
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openStore } from "../../lib/sinks/store.ts";
import { messages, testStore } from "./support/stores.ts";

type Store = Awaited<ReturnType<typeof openStore>>;

function namesOf(store: Store, from: number, to: number): string[] {
  return Array.from(
    { length: to - from + 1 },
    (_, i) => `${store.epochOf(from + i)}-${from + i}`,
  );
}

async function add(store: Store, from: number, to: number): Promise<string[]> {
  store.write(messages(from, to));
  await store.flush();
  return namesOf(store, from, to);
}

testStore(
  "has an epoch for each opening, and a message keeps its own",
  async (_, open) => {
    const names: string[] = [];
    for (let n = 0; n < 5; n++) {
      const store = await open();
      assertEquals(store.lastId, 10 * n);
      assertEquals(namesOf(store, 1, 10 * n), names);
      names.push(...await add(store, 10 * n + 1, 10 * n + 10));
      await store.close();
    }
    assertEquals(new Set(names).size, 50);
    assertEquals(new Set(names.map((name) => name.slice(0, 36))).size, 5);
  },
);

testStore(
  "that was copied or restored names further messages differently",
  async (path, open) => {
    const first = await open();
    const common = await add(first, 1, 10);
    await first.close();
    Deno.copyFileSync(path, `${path}.copy`);
    const original = await open();
    const copy = await openStore(`${path}.copy`);
    const all = [...await add(original, 11, 20), ...await add(copy, 11, 20)];
    assertEquals(new Set(all).size, 20);
    assertEquals(namesOf(copy, 1, 10), common);
    await original.close();
    await copy.close();
    Deno.copyFileSync(`${path}.copy`, path);
    const restored = await open();
    assertEquals(namesOf(restored, 11, 20), all.slice(10));
    await restored.close();
  },
);

testStore(
  "that is opened without a message leaves no epoch behind",
  async (path, open) => {
    for (let n = 0; n < 3; n++) await (await open()).close();
    const store = await open({ keepRows: 10 });
    await add(store, 1, 100);
    await store.close();
    for (let n = 1; n <= 3; n++) {
      const store = await open({ keepRows: 10 });
      await add(store, 100 * n + 1, 100 * n + 100);
      await store.close();
    }
    await (await open()).close();
    using db = new DatabaseSync(path, { readOnly: true });
    const rows = db.prepare("SELECT first_id FROM epochs").all();
    assertEquals(rows.map((row) => row["first_id"]), [301]);
  },
);

testStore(
  "begins an epoch that it keeps, for that message and what follows",
  async (path, open) => {
    const store = await open();
    const before = await add(store, 1, 5);
    const named = await add(store, 6, 8);
    await store.beginEpoch(7);
    const names = [...namesOf(store, 1, 8), ...await add(store, 9, 10)];
    assertEquals(names.slice(0, 6), [...before, named[0]]);
    assert(names[6] !== named[1] && names[7] !== named[2]);
    assertEquals(store.epochOf(7), store.epochOf(10));
    await store.close();
    const again = await open();
    assertEquals(namesOf(again, 1, 10), names);
    await again.close();
    Deno.renameSync(path, `${path}.1`);
    const { epoch } = new DatabaseSync(`${path}.1`, { readOnly: true })
      .prepare("SELECT epoch FROM epochs WHERE first_id = 7").get() ?? {};
    assertEquals(epoch, names[6]!.slice(0, 36));
  },
);

testStore("that is moved goes on in the same epoch", async (path, open) => {
  const store = await open();
  await add(store, 1, 5);
  Deno.renameSync(path, `${path}.1`);
  const names = await add(store, 6, 10);
  await store.close();
  const again = await open();
  assertEquals(namesOf(again, 6, 10), names);
  await again.close();
});

testStore(
  "of the schema before keeps the names that it had",
  async (path, open) => {
    const store = await open();
    const { identity } = store;
    await add(store, 1, 5);
    await store.close();
    {
      using db = new DatabaseSync(path);
      db.exec("ALTER TABLE store DROP COLUMN opening; DROP TABLE epochs");
      db.exec("PRAGMA user_version = 1");
    }
    const again = await open();
    assertEquals(again.epochOf(3), identity);
    assert(again.epochOf(6) !== identity);
    await again.close();
  },
);
