/** What a store does when it cannot write, and which files it refuses. */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import type { Message } from "../../lib/sink.ts";
import { openStore } from "../../lib/sinks/store.ts";
import { until } from "../support/helpers.ts";
import { message, messages, testStore } from "./support/stores.ts";

testStore(
  "that another process has locked lets messages wait, and reports it",
  async (path, open, trouble) => {
    const store = await open();
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    store.write(messages(1, 5));
    await until(() => trouble.length > 0);
    store.write(messages(6, 10));
    assertStringIncludes(trouble[0]!, "another process has it locked");
    assertStringIncludes(trouble[0]!, path);
    assertEquals(store.stats, { stored: 0, waiting: 10, notStored: 0 });
    // It does not wait for a lock that may stay.
    await store.flush();
    other.exec("COMMIT");
    other.close();
    await until(() => trouble.length > 1);
    await store.flush();
    assertEquals(trouble.slice(1), [`messages are stored in "${path}" again`]);
    assertEquals(store.stats, { stored: 10, waiting: 0, notStored: 0 });
    assertEquals(store.after(0, 100).length, 10);
    await store.close();
  },
);

for (const lock of ["IMMEDIATE", "EXCLUSIVE"]) {
  testStore(
    `that another process has locked (${lock}) at the start opens when it is free`,
    async (path, open, trouble) => {
      const first = await open();
      first.write(messages(1, 3));
      await first.close();
      const other = new DatabaseSync(path);
      other.exec(`BEGIN ${lock}`);
      const opening = open();
      const timer = setTimeout(() => other.close(), 500);
      const store = await opening;
      assertEquals(store.lastId, 3);
      store.write(messages(4, 5));
      await until(() => store.stats["stored"] === 2);
      await store.close();
      clearTimeout(timer);
      assertEquals(trouble.length % 2, 0, `${trouble}`);
    },
  );
}

testStore(
  "that is still locked at the end counts what waited, and does not hang",
  async (path, open) => {
    const stored: Message[] = [];
    const onStored = (batch: readonly Message[]) => void stored.push(...batch);
    const store = await open({ onStored });
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    store.write(messages(1, 5));
    await store.close();
    other.close();
    assertEquals(store.stats, { stored: 0, waiting: 0, notStored: 5 });
    assertEquals(stored, []);
  },
);

testStore(
  "that is closed when there is no time left counts what waited",
  async (path, open, trouble) => {
    const store = await open();
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    store.write(messages(1, 5));
    await store.close(AbortSignal.abort());
    other.close();
    assertEquals(store.stats, { stored: 0, waiting: 0, notStored: 5 });
    assertEquals(
      trouble.at(-1),
      `5 messages may be stored in "${path}" or not: no time was left; counted as not stored`,
    );
  },
);

testStore(
  "lets at most 32 MiB wait; the rest is counted as not stored",
  async (path, open, trouble) => {
    const store = await open();
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const data = new Uint8Array(60_000);
    for (let id = 1; id <= 1000; id++) store.write([message(id, data)]);
    const { waiting = NaN, notStored = NaN } = store.stats;
    assertEquals(waiting, Math.floor(32 * 1024 * 1024 / 60_128));
    assertEquals(waiting + notStored, 1000);
    assert(trouble.some((line) => line.includes("too many messages wait")));
    other.exec("COMMIT");
    other.close();
    await until(() => store.stats["waiting"] === 0);
    store.write([message(1001)]);
    await store.flush();
    assertEquals(store.stats["stored"], waiting + 1);
    await store.close();
  },
);

testStore("has one server at a time", async (path, open) => {
  const store = await open();
  const error = await assertRejects(
    () => open(),
    Deno.errors.Busy,
    "another server is using it",
  );
  assertStringIncludes(error.message, path);
  Deno.linkSync(path, `${path}.link`);
  Deno.symlinkSync(path, `${path}.symlink`);
  for (const other of [`${path}.link`, `${path}.symlink`]) {
    await assertRejects(
      () => openStore(other),
      Error,
      `"${other}": another server is using it`,
    );
  }
  store.write(messages(1, 3));
  await store.close();
  await (await open()).close();
});

testStore(
  "reports a callback that throws, and goes on",
  async (_, open, trouble) => {
    const store = await open({
      onStored: () => {
        throw new Error("a bug");
      },
    });
    for (let id = 1; id <= 3; id++) {
      store.write([message(id)]);
      await store.flush();
    }
    assertEquals(store.stats["stored"], 3);
    assertEquals(trouble, ["onStored: a bug"]);
    await store.close();
  },
);

for (
  const [what, make, reason] of [
    [
      "is not a database",
      (path) => Deno.writeTextFile(path, "x".repeat(9999)),
      "it is not an SQLite database",
    ],
    ["is a folder", (path) => Deno.mkdir(path), "directory"],
    ["is of another program", (path) => {
      using db = new DatabaseSync(path);
      db.exec("CREATE TABLE other (a)");
      return Promise.resolve();
    }, "it is a database of another program"],
    ["is of a later version", async (path) => {
      await (await openStore(path)).close();
      using db = new DatabaseSync(path);
      db.exec("PRAGMA user_version = 99");
    }, "its schema has version 99; this program knows 2"],
    ["is damaged", async (path) => {
      const store = await openStore(path);
      store.write(messages(1, 5000));
      await store.close();
      using file = await Deno.open(path, { write: true });
      await file.seek(100, Deno.SeekMode.Start);
      await file.write(new Uint8Array(4000).fill(0xaa));
    }, "it is damaged"],
  ] satisfies [string, (path: string) => Promise<unknown>, string][]
) {
  testStore(`that ${what} is refused in one line`, async (path, open) => {
    await make(path);
    const { message } = await assertRejects(() => open(), Error, reason);
    assertStringIncludes(message, `Cannot store messages in "${path}": `);
    assertEquals(message.includes("\n"), false);
  });
}

Deno.test("a store in a folder that does not exist is refused in one line", async () => {
  const { message } = await assertRejects(
    () => openStore("/nowhere/messages.db"),
    Error,
    'Cannot store messages in "/nowhere/messages.db": ',
  );
  assertEquals(message.includes("\n"), false);
});

for (
  const [name, wanted, values] of [
    ["keepRows", "a whole number from 1, or Infinity", [0, -1, 1.5, NaN, "9"]],
    ["keepMs", "milliseconds above 0", [0, -1, NaN, "9"]],
  ] as const
) {
  for (const value of values) {
    testStore(`refuses ${name}: ${Deno.inspect(value)}`, async (path) => {
      const options = { [name]: value as number };
      await assertRejects(
        () => openStore(path, options),
        RangeError,
        `Cannot open a store: ${name} must be ${wanted}: given `,
      );
      await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
    });
  }
}
