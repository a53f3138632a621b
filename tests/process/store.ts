import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { Datagram } from "../../mod.ts";
import { openStore, type StoreOptions } from "../../lib/sinks/store.ts";
import { StoreReader } from "../../lib/sinks/store/reader.ts";
import type { Message } from "../../lib/sink.ts";
import { bytesOf, net, pattern } from "../support/helpers.ts";

const FROM = net("127.0.0.1", 40_000);

function message(
  id: number,
  data: string | Uint8Array = `message ${id}`,
  { from = FROM as Deno.Addr, time = new Date(1e12 + id), truncated = false } =
    {},
): Message {
  return { id, time, datagram: new Datagram(bytesOf(data), from, truncated) };
}

function messages(first: number, last: number): Message[] {
  return Array.from(
    { length: last - first + 1 },
    (_, i) => message(first + i),
  );
}

/** A path in a folder of its own, and stores there. */
function testStore(
  promise: string,
  run: (
    path: string,
    open: (options?: StoreOptions) => ReturnType<typeof openStore>,
    trouble: string[],
  ) => Promise<void>,
): void {
  Deno.test(`a store ${promise}`, async () => {
    const folder = await Deno.makeTempDir();
    const trouble: string[] = [];
    const path = `${folder}/messages.db`;
    const onTrouble = (line: string) => void trouble.push(line);
    try {
      await run(
        path,
        (options) => openStore(path, { onTrouble, ...options }),
        trouble,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

const UNNAMED = { transport: "unixpacket", path: null } as unknown;

testStore(
  "gives back each message as it came, whatever it holds",
  async (path, open) => {
    const store = await open();
    const written = [
      message(1, ""),
      message(2, new Uint8Array([0, 255, 10])),
      message(3, pattern(65_507), { truncated: true }),
      message(4, "é\x1b", { from: net("fe80::1", 1) }),
      message(5, "x", { from: net("::ffff:10.0.0.1", 65_535) }),
      message(6, "y", { from: { transport: "unixpacket", path: "/run/a b" } }),
      message(7, "z", { from: UNNAMED as Deno.UnixAddr }),
    ];
    store.write(written);
    await store.flush();
    assertEquals(store.after(0, 100), written);
    assertEquals(store.after(5, 1), [written[5]]);
    assertEquals(store.latest(2), written.slice(5));
    assertEquals(store.stats, { kept: 7, waiting: 0, notKept: 0 });
    await store.close();
    using reader = new StoreReader(path);
    assertEquals(reader.after(0, 100), written);
  },
);

testStore(
  "that is opened again goes on where it was, as the same one",
  async (_, open) => {
    const first = await open();
    const { id } = first;
    assertEquals(first.lastId, 0);
    first.write(messages(1, 10));
    await first.close();
    const second = await open();
    assertEquals([second.lastId, second.id], [10, id]);
    second.write(messages(11, 12));
    await second.flush();
    assertEquals(second.after(9, 10).map(({ id }) => id), [10, 11, 12]);
    await second.close();
  },
);

testStore("is read by others while it is written", async (path, open) => {
  const store = await open();
  using reader = new StoreReader(path);
  for (let n = 1; n <= 50; n++) {
    store.write(messages(10 * n - 9, 10 * n));
    await store.flush();
    assertEquals([...reader.select({})].length, 10 * n);
  }
  await store.close();
});

testStore("tells what is kept, in order, once it is", async (path, open) => {
  const kept: number[] = [];
  using reader = {
    using: undefined as StoreReader | undefined,
    [Symbol.dispose]() {
      this.using?.[Symbol.dispose]();
    },
  };
  const store = await open({
    durable: true,
    onKept: (batch) => {
      reader.using ??= new StoreReader(path);
      for (const { id } of batch) {
        assertEquals(reader.using.after(id - 1, 1)[0].id, id);
        kept.push(id);
      }
    },
  });
  for (let n = 0; n < 20; n++) store.write(messages(5 * n + 1, 5 * n + 5));
  await store.flush();
  assertEquals(kept, Array.from({ length: 100 }, (_, i) => i + 1));
  await store.close();
});

testStore("keeps the newest keepRows messages and no more", async (_, open) => {
  const store = await open({ keepRows: 100 });
  for (let n = 0; n < 50; n++) store.write(messages(20 * n + 1, 20 * n + 20));
  await store.flush();
  assertEquals(
    store.after(0, 10_000).map(({ id }) => id),
    Array.from({ length: 100 }, (_, i) => 901 + i),
  );
  await store.close();
});

testStore(
  "forgets what is older than keepMs, and its numbers go on",
  async (_, open) => {
    const first = await open({ keepMs: 60_000 });
    const now = Date.now();
    first.write([
      message(1, "old", { time: new Date(now - 61_000) }),
      message(2, "older", { time: new Date(0) }),
    ]);
    await first.flush();
    while (first.after(0, 10).length > 0) {
      await new Promise((go) => setTimeout(go, 50));
    }
    first.write([message(3, "new", { time: new Date(now) })]);
    await first.close();
    const second = await open();
    assertEquals([second.lastId, second.latest(9).length], [3, 1]);
    await second.close();
  },
);

testStore(
  "that another process has locked lets messages wait, and says so",
  async (path, open, trouble) => {
    const store = await open();
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    store.write(messages(1, 5));
    while (trouble.length === 0) await new Promise((go) => setTimeout(go, 20));
    store.write(messages(6, 10));
    assertStringIncludes(trouble[0], "another process has it locked");
    assertStringIncludes(trouble[0], path);
    assertEquals(store.stats, { kept: 0, waiting: 10, notKept: 0 });
    // It does not wait for what may never come.
    await store.flush();
    other.exec("COMMIT");
    other.close();
    while (trouble.length === 1) await new Promise((go) => setTimeout(go, 20));
    await store.flush();
    assertEquals(trouble.slice(1), [
      `messages are kept in "${path}" again`,
    ]);
    assertEquals(store.stats, { kept: 10, waiting: 0, notKept: 0 });
    assertEquals(store.after(0, 100).length, 10);
    await store.close();
  },
);

testStore(
  "that is still locked at the end counts what waited, and does not hang",
  async (path, open) => {
    const kept: Message[] = [];
    const store = await open({ onKept: (batch) => void kept.push(...batch) });
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    store.write(messages(1, 5));
    await store.close();
    other.close();
    assertEquals(store.stats, { kept: 0, waiting: 0, notKept: 5 });
    assertEquals(kept, []);
  },
);

testStore(
  "lets no more than 32 MiB wait; the rest is counted as not kept",
  async (path, open, trouble) => {
    const store = await open();
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const data = new Uint8Array(60_000);
    for (let id = 1; id <= 1000; id++) store.write([message(id, data)]);
    const { waiting, notKept } = store.stats;
    assertEquals(waiting, Math.floor(32 * 1024 * 1024 / 60_128));
    assertEquals(waiting + notKept, 1000);
    assert(trouble.some((line) => line.includes("too many wait")));
    other.exec("COMMIT");
    other.close();
    while (store.stats.waiting > 0) {
      await new Promise((go) => setTimeout(go, 20));
    }
    store.write([message(1001)]);
    await store.flush();
    assertEquals(store.stats.kept, waiting + 1);
    await store.close();
  },
);

Deno.test("a store is the file of that name, whatever SQLite would make of it", async () => {
  const folder = await Deno.makeTempDir();
  const before = Deno.cwd();
  Deno.chdir(folder);
  try {
    for (const path of [":memory:", "file:x?mode=memory", "a%20b"]) {
      const store = await openStore(path);
      store.write(messages(1, 3));
      await store.close();
      using reader = new StoreReader(`${folder}/${path}`);
      assertEquals(reader.lastId, 3);
    }
  } finally {
    Deno.chdir(before);
    await Deno.remove(folder, { recursive: true });
  }
});

testStore("has one server at a time", async (path, open) => {
  const store = await open();
  const error = await assertRejects(() => open(), Error, "another server");
  assertStringIncludes(error.message, path);
  store.write(messages(1, 3));
  await store.close();
  await (await open()).close();
});

testStore(
  "remembers how far its messages were handed on, for each destination",
  async (_, open) => {
    const first = await open();
    assertEquals(first.handedOn("a"), 0);
    first.markHandedOn("a", 17);
    first.markHandedOn("a", 18);
    first.markHandedOn("b", 3);
    assertEquals(first.handedOn("a"), 18);
    await first.close();
    const second = await open();
    assertEquals(["a", "b", "c"].map((to) => second.handedOn(to)), [18, 3, 0]);
    await second.close();
  },
);

for (
  const [what, make, reason] of [
    [
      "is no database",
      (path) => Deno.writeTextFile(path, "x".repeat(9999)),
      "it is no SQLite database",
    ],
    ["is a folder", (path) => Deno.mkdir(path), "directory"],
    ["is of another program", (path) => {
      using db = new DatabaseSync(path);
      db.exec("CREATE TABLE other (a)");
      return Promise.resolve();
    }, "it holds something else than messages"],
    ["is of a later version", async (path) => {
      await (await openStore(path)).close();
      using db = new DatabaseSync(path);
      db.exec("PRAGMA user_version = 99");
    }, "its schema has version 99; this program knows 1"],
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
    assertStringIncludes(message, `Cannot keep messages in "${path}": `);
    assertEquals(message.includes("\n"), false);
  });
}

Deno.test("a store in a folder that is not there is refused in one line", async () => {
  const { message } = await assertRejects(
    () => openStore("/nowhere/messages.db"),
    Error,
    'Cannot keep messages in "/nowhere/messages.db": ',
  );
  assertEquals(message.includes("\n"), false);
});
