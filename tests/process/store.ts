/** What a store gives back, and what it forgets. */
import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { formatAddress } from "../../mod.ts";
import { openStore } from "../../lib/sinks/store.ts";
import { StoreReader } from "../../lib/sinks/store/reader.ts";
import { net, pattern, until } from "../support/helpers.ts";
import { idsOf, message, messages, testStore } from "./support/stores.ts";

function unix(path: string): Deno.UnixAddr {
  return { transport: "unixpacket", path };
}

const UNNAMED = { transport: "unixpacket", path: null } as unknown;

testStore("gives back each message, whatever it holds", async (path, open) => {
  const store = await open();
  const written = [
    message(1, ""),
    message(2, new Uint8Array([0, 255, 10])),
    message(3, pattern(65_507), { truncated: true }),
    message(4, "é\x1b", { from: net("fe80::1", 1) }),
    message(5, "x", { from: net("::ffff:10.0.0.1", 65_535) }),
    message(6, "y", { from: { transport: "unixpacket", path: "/run/a b" } }),
    message(7, "z", { from: UNNAMED as Deno.UnixAddr }),
    message(8, "from an abstract name", { from: unix("\0app") }),
    message(9, "from one with separators", { from: unix("\0a\0\0%00\n") }),
    message(10, "between them", { from: unix("/run/b") }),
    message(11, "", { from: unix("@file") }),
    // A path of as many bytes as the system has room for.
    message(12, "", { from: unix(`/${"p".repeat(107)}`) }),
  ];
  store.write(written);
  await store.flush();
  assertEquals(store.after(0, 100), written);
  assertEquals(store.after(5, 1), [written[5]]);
  assertEquals(store.latest(2), written.slice(10));
  assertEquals(store.stats, { stored: 12, waiting: 0, notStored: 0 });
  await store.close();
  using reader = new StoreReader(path);
  assertEquals(reader.after(0, 100), written);
});

testStore(
  "shows a row that another program has spoiled as far as it can",
  async (path, open) => {
    const store = await open();
    store.write(messages(1, 12));
    await store.flush();
    {
      using other = new DatabaseSync(path);
      const set = (id: number, change: string) =>
        other.exec(`UPDATE messages SET ${change} WHERE id = ${id}`);
      set(2, "sender = 'app'");
      set(3, "sender = x'ff00fe'");
      set(4, "sender = 'unix:' || char(0) || 'app'");
      set(5, "time = 9e99");
      set(6, "time = 'noon'");
      set(7, "data = 'text'");
      set(8, "data = 17");
      set(9, "sender = ''");
      set(10, "truncated = 9223372036854775807");
      set(11, "time = -9223372036854775807");
    }
    const read = store.after(0, 100);
    assertEquals(idsOf(read), idsOf(messages(1, 12)));
    assertEquals(read[0], message(1));
    assertEquals(read[6]?.datagram.text(), "text");
    assertEquals(store.latest(12), read);
    using reader = new StoreReader(path);
    assertEquals([...reader.select({})], read);
    // Whoever prints them writes senders and times as text.
    for (const { time, datagram } of read) {
      formatAddress(datagram.from) + time.toISOString();
    }
    await store.close();
  },
);

testStore(
  "stores a message whose sender has no valid address, and those beside it",
  async (_, open) => {
    const store = await open();
    const wrong = [net("1.2.3.4.5.6.7.8.9", 1), net("127.0.0.1", NaN)];
    const nothing = { transport: "udp", hostname: "127.0.0.1" } as unknown;
    for (const [i, from] of [...wrong, nothing as Deno.NetAddr].entries()) {
      store.write([message(2 * i + 1, "x", { from }), message(2 * i + 2)]);
    }
    await store.flush();
    assertEquals(store.stats, { stored: 6, waiting: 0, notStored: 0 });
    assertEquals(store.latest(10).map(({ datagram }) => datagram.text()), [
      ...["x", "message 2", "x", "message 4", "x", "message 6"],
    ]);
    await store.close();
  },
);

testStore("that is opened again continues where it was", async (_, open) => {
  const first = await open();
  const { identity } = first;
  assertEquals(first.lastId, 0);
  first.write(messages(1, 10));
  await first.close();
  const second = await open();
  assertEquals([second.lastId, second.identity], [10, identity]);
  second.write(messages(11, 12));
  await second.flush();
  assertEquals(idsOf(second.after(9, 10)), [10, 11, 12]);
  await second.close();
});

testStore("can be read by others while it is written", async (path, open) => {
  const store = await open();
  using reader = new StoreReader(path);
  for (let n = 1; n <= 50; n++) {
    store.write(messages(10 * n - 9, 10 * n));
    await store.flush();
    assertEquals([...reader.select({})].length, 10 * n);
  }
  await store.close();
});

testStore(
  "reports what is stored, in order, once it is",
  async (path, open) => {
    const stored: number[] = [];
    using stack = new DisposableStack();
    let reader: StoreReader | undefined;
    const store = await open({
      durable: true,
      onStored: (batch) => {
        reader ??= stack.use(new StoreReader(path));
        for (const { id } of batch) {
          assertEquals(reader.after(id - 1, 1)[0]?.id, id);
          stored.push(id);
        }
      },
    });
    for (let n = 0; n < 20; n++) store.write(messages(5 * n + 1, 5 * n + 5));
    await store.flush();
    assertEquals(stored, Array.from({ length: 100 }, (_, i) => i + 1));
    await store.close();
  },
);

testStore(
  "stores what comes while it is writing, and what waits when it is closed",
  async (_, open) => {
    const { promise: all, resolve } = Promise.withResolvers<void>();
    let stored = 0;
    const store = await open({
      onStored: (batch) => {
        stored += batch.length;
        if (stored === 10) resolve();
      },
    });
    // The first one is being written when the others come.
    for (let n = 1; n <= 10; n++) store.write(messages(n, n));
    await all;
    for (let n = 11; n <= 20; n++) store.write(messages(n, n));
    await store.close();
    assertEquals(store.stats, { stored: 20, waiting: 0, notStored: 0 });
    const again = await open();
    for (let n = 21; n <= 30; n++) again.write(messages(n, n));
    await again.close();
    assertEquals(again.stats, { stored: 10, waiting: 0, notStored: 0 });
  },
);

testStore("reads its newest messages from memory", async (path, open) => {
  const store = await open();
  store.write(messages(1, 10));
  await store.flush();
  // From the first read on it keeps what is written in memory, too.
  assertEquals(store.after(0, 100).length, 10);
  const written = messages(11, 30);
  store.write(written);
  await store.flush();
  using other = new DatabaseSync(path);
  other.exec("DELETE FROM messages");
  assertEquals(store.after(10, 100), written);
  assertEquals(store.after(0, 5), written.slice(0, 5));
  await store.close();
});

testStore(
  "joins file and memory without a gap or a duplicate",
  async (_, open) => {
    const store = await open();
    store.write(messages(1, 500));
    await store.flush();
    store.after(0, 1);
    // More than memory holds, so the file has the older ones.
    for (let n = 500; n < 12_500; n += 1000) {
      store.write(messages(n + 1, n + 1000));
    }
    await store.flush();
    const ids: number[] = [];
    for (;;) {
      const part = store.after(ids.at(-1) ?? 0, 700);
      if (part.length === 0) break;
      ids.push(...idsOf(part));
    }
    assertEquals(ids, Array.from({ length: 12_500 }, (_, i) => i + 1));
    await store.close();
  },
);

testStore("returns no message before it is stored", async (path, open) => {
  const store = await open();
  store.write(messages(1, 3));
  await store.flush();
  assertEquals(store.after(0, 100).length, 3);
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  store.write(messages(4, 6));
  assertEquals(idsOf(store.after(0, 100)), [1, 2, 3]);
  other.exec("COMMIT");
  other.close();
  await store.flush();
  await until(() => store.stats["waiting"] === 0);
  assertEquals(idsOf(store.after(0, 100)), [1, 2, 3, 4, 5, 6]);
  await store.close();
});

testStore("keeps the newest keepRows messages and no more", async (_, open) => {
  const store = await open({ keepRows: 100 });
  for (let n = 0; n < 50; n++) {
    store.write(messages(20 * n + 1, 20 * n + 20));
    await store.flush();
    // It reads from memory as well: the same limit holds there.
    assertEquals(store.after(0, 10_000).length, Math.min(100, 20 * n + 20));
  }
  assertEquals(
    idsOf(store.after(0, 10_000)),
    Array.from({ length: 100 }, (_, i) => 901 + i),
  );
  await store.close();
});

testStore("forgets what is older than keepMs", async (_, open) => {
  const first = await open({ keepMs: 60_000 });
  // From here on it keeps what is written in memory, too.
  assertEquals(first.after(0, 10), []);
  const now = Date.now();
  first.write([
    message(1, "old", { time: new Date(now - 61_000) }),
    message(2, "older", { time: new Date(0) }),
  ]);
  await first.flush();
  await until(() => first.after(0, 10).length === 0);
  first.write([message(3, "new", { time: new Date(now) })]);
  await first.close();
  const second = await open();
  // Its numbers go on.
  assertEquals([second.lastId, second.latest(9).length], [3, 1]);
  await second.close();
});

testStore("saves a checkpoint for each destination", async (_, open) => {
  const first = await open();
  assertEquals(first.checkpoint("a"), 0);
  first.saveCheckpoint("a", 17);
  first.saveCheckpoint("a", 18);
  first.saveCheckpoint("b", 3);
  assertEquals(first.checkpoint("a"), 18);
  await first.close();
  const second = await open();
  assertEquals(["a", "b", "c"].map((to) => second.checkpoint(to)), [18, 3, 0]);
  await second.close();
});

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

Deno.test("a store is read where it is written, whatever the folder is then", async () => {
  const folder = await Deno.makeTempDir();
  const before = Deno.cwd();
  Deno.chdir(folder);
  try {
    const trouble: string[] = [];
    const onTrouble = (line: string) => void trouble.push(line);
    const store = await openStore("messages.db/", { onTrouble });
    store.write(messages(1, 3));
    await store.flush();
    Deno.chdir(before);
    Deno.renameSync(`${folder}/messages.db`, `${folder}/moved.db`);
    store.write(messages(4, 6));
    await store.flush();
    assertEquals(idsOf(store.latest(9)), [4, 5, 6]);
    await store.close();
    assertEquals(trouble.length, 1, `${trouble}`);
  } finally {
    Deno.chdir(before);
    await Deno.remove(folder, { recursive: true });
  }
});
