/** What a store does with the logs of files that others moved or replaced. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openStore } from "../../lib/sinks/store.ts";
import { until } from "../support/helpers.ts";
import { idsIn, numbers, testStore, write } from "./support/stores.ts";

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
