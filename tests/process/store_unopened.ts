/** A store that cannot be opened for a while, and whose file others change then. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { StoreReader } from "../../lib/sinks/store/reader.ts";
import { until } from "../support/helpers.ts";
import { idsOf, messages, testStore } from "./support/stores.ts";

for (
  const [what, change, gone, says] of [
    ["removed", (path) => Deno.removeSync(path), 90, "was removed: at most 90"],
    [
      "emptied",
      (path) => Deno.truncateSync(path),
      90,
      "was emptied by another program; it begins again: at most 90",
    ],
    [
      "replaced by an empty file",
      (path) => {
        Deno.removeSync(path);
        Deno.writeTextFileSync(path, "");
      },
      90,
      "was removed: at most 90",
    ],
    [
      "replaced by an earlier copy",
      (path) => {
        Deno.copyFileSync(`${path}.copy`, `${path}.restored`);
        Deno.renameSync(`${path}.restored`, path);
      },
      90,
      "was replaced by another file, which is used from now on: at most",
    ],
    [
      "moved",
      (path) => Deno.renameSync(path, `${path}.1`),
      0,
      "was moved before it could be opened: a new file begins",
    ],
  ] satisfies [string, (path: string) => void, number, string][]
) {
  for (const when of ["before it is opened", "and never opened"]) {
    testStore(
      `that is ${what} ${when} reports and counts what is gone`,
      async (path, open, trouble) => {
        const first = await open();
        first.write(messages(1, 10));
        await first.close();
        Deno.copyFileSync(path, `${path}.copy`);
        const second = await open({ keepRows: 90 });
        second.write(messages(11, 100));
        await second.close();

        const other = new DatabaseSync(path);
        other.exec("BEGIN IMMEDIATE");
        const store = await open();
        const { identity } = store;
        assertEquals([store.lastId, store.stats["waiting"]], [100, 0]);
        await until(() => trouble.length > 0);
        assertStringIncludes(trouble.shift()!, "has it locked; messages wait");
        change(path);
        if (when === "before it is opened") {
          other.close();
          store.write(messages(101, 105));
          await until(() => store.stats["stored"] === 5);
          assertEquals(idsOf(store.latest(5)), idsOf(messages(101, 105)));
          assertEquals(
            store.identity === identity,
            what === "replaced by an earlier copy",
          );
        }
        await store.close();
        if (other.isOpen) other.close();
        const { gone: counted = 0, notStored } = store.stats;
        assertEquals([counted, notStored], [gone, 0]);
        assertStringIncludes(trouble.join("\n"), `"${path}" ${says}`);
        if (what !== "moved") return;
        using moved = new StoreReader(`${path}.1`);
        assertEquals(moved.latest(100).length, 90);
      },
    );
  }
}
