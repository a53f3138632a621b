import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvalidAddressError } from "../mod.ts";
import { page as open } from "../lib/sinks/page.ts";
import { EventIds } from "../lib/sinks/page/event_ids.ts";
import { Feed } from "../lib/sinks/page/feed.ts";
import { Recent } from "../lib/sinks/recent.ts";
import { turn } from "./support/helpers.ts";
import {
  EventReader,
  hostOf,
  idsIn,
  message,
  messagesFrom,
  openPage,
  range,
  STATS,
  withPage,
} from "./support/pages.ts";

const RECENT = { messages: 1000, bytes: 8 * 1024 * 1024 };

const { stats, send } = {
  stats: () => Promise.resolve(STATS),
  send: () => Promise.resolve(undefined),
};

/** The bytes that wait in a stream. */
async function held(body: ReadableStream<Uint8Array>): Promise<number> {
  const reader = body.getReader();
  let bytes = 0;
  for (;;) {
    const none = turn().then(() => undefined);
    const part = await Promise.race([reader.read(), none]);
    if (part?.value === undefined) break;
    bytes += part.value.length;
  }
  reader.releaseLock();
  return bytes;
}

Deno.test("100,000 messages for a page that never reads take at most 256 KiB", async () => {
  const recent = new Recent(RECENT);
  const counts = { shown: 0, skipped: 0 };
  const feed = new Feed(
    recent,
    new EventIds(recent),
    counts,
    undefined,
    () => {},
  );
  for (let i = 0; i < 1000; i++) {
    recent.add(messagesFrom(i * 100 + 1, 100));
    feed.flush();
  }
  const { shown } = counts;
  assert(shown < 5000);
  // When it reads again it learns how many it missed.
  const reader = feed.body.getReader();
  let text = "";
  while (!text.includes('"id":100000,')) {
    const { value } = await reader.read();
    text += new TextDecoder().decode(value);
    assert(text.length < 1024 * 1024);
    feed.flush();
  }
  const skipped = Array.from(text.matchAll(/"skipped":(\d+)/g))
    .reduce((sum, [, n]) => sum + Number(n), 0);
  assert(skipped > 90_000);
  assertEquals(counts.shown + counts.skipped, 100_000);
  feed.close();
  reader.releaseLock();
});

Deno.test("memory for a page that never reads is bounded, whatever the messages are", async () => {
  const recent = new Recent(RECENT);
  const feed = new Feed(
    recent,
    new EventIds(recent),
    { shown: 0, skipped: 0 },
    undefined,
    () => {},
  );
  const data = "\u0001".repeat(60_000);
  for (let id = 1; id <= 3000; id++) {
    recent.add([message(id, data)]);
    feed.flush();
    feed.sendIfRoom("stats", {});
  }
  const bytes = await held(feed.body);
  assert(bytes > 0 && bytes < 1024 * 1024);
  feed.close();
});

Deno.test("a browser that never reads delays nothing, and others get everything", () =>
  withPage(async (page) => {
    const { hostname, port } = new URL(page.url);
    using stuck = await Deno.connect({ hostname, port: Number(port) });
    await stuck.write(new TextEncoder().encode(
      `GET /events HTTP/1.1\r\nHost: ${hostOf(page)}\r\n\r\n`,
    ));
    await using reader = await EventReader.open(page);
    await reader.named("start");
    for (let id = 1; id <= 1000; id += 100) {
      assertEquals(page.write(messagesFrom(id, 100)), undefined);
    }
    assertEquals(idsIn(await reader.until(1000)), range(1, 1000));
  }));

Deno.test("memory holds at most 1,000 messages and 8 MiB", () => {
  const recent = new Recent(RECENT);
  recent.add(messagesFrom(1, 1500));
  assertEquals(recent.firstId, 501);
  const big = new Uint8Array(60_000);
  for (let id = 1501; id <= 1700; id++) recent.add([message(id, big)]);
  assertEquals(recent.firstId, 1700 - Math.floor(RECENT.bytes / 60_000) + 1);
  assertEquals(recent.after(1698, 5).map(({ id }) => id), [1699, 1700]);
});

Deno.test("memory starts at any number and continues from there", () => {
  const recent = new Recent({ messages: 3, bytes: 100 });
  assertEquals([recent.firstId, recent.lastId], [0, 0]);
  recent.add(messagesFrom(41, 2));
  assertEquals([recent.firstId, recent.lastId], [41, 42]);
  recent.add(messagesFrom(43, 2));
  assertEquals(recent.after(0, 9).map(({ id }) => id), [42, 43, 44]);
});

Deno.test("a message that is larger than the limit is not kept in memory", () => {
  const recent = new Recent({ messages: 3, bytes: 10 });
  recent.add([message(1, "short"), message(2, "longer than ten bytes")]);
  assertEquals([recent.firstId, recent.lastId], [0, 2]);
  recent.add([message(3, "short")]);
  assertEquals(recent.after(0, 3).map(({ id }) => id), [3]);
});

Deno.test("the 65th page is refused until another is closed", () =>
  withPage(async (page) => {
    const readers = [];
    for (let i = 0; i < 64; i++) readers.push(await EventReader.open(page));
    assertEquals(page.stats["clients"], 64);
    const url = new URL("/events", page.url);
    const refused = await fetch(url);
    assertEquals(refused.status, 503);
    assert((await refused.json()).error.length > 0);
    await readers.pop()?.[Symbol.asyncDispose]();
    while (page.stats["clients"] === 64) await turn();
    readers.push(await EventReader.open(page));
    for (const reader of readers) await reader[Symbol.asyncDispose]();
  }));

Deno.test("close sends what is pending, ends the streams, and frees the port", async () => {
  const page = openPage();
  const reader = await EventReader.open(page);
  await reader.named("start");
  page.write(messagesFrom(1, 3));
  const closed = page.close();
  assertEquals(idsIn(await reader.until(3)), [1, 2, 3]);
  assertEquals(await reader.next(), undefined);
  await closed;
  await page.close();
  const again = openPage({ listen: hostOf(page) });
  assertEquals(again.url, page.url);
  await again.close();
});

Deno.test("close does not wait for browsers that never read, nor for half a request", async () => {
  const page = openPage();
  const { hostname, port } = new URL(page.url);
  const start = () => Deno.connect({ hostname, port: Number(port) });
  using half = await start();
  await half.write(new TextEncoder().encode("GET / HT"));
  // A body that never arrives.
  using silent = await start();
  await silent.write(new TextEncoder().encode([
    "POST /send HTTP/1.1",
    `Host: ${hostOf(page)}`,
    "Content-Type: application/json",
    "Content-Length: 10",
    "",
    "",
  ].join("\r\n")));
  using stuck = await start();
  await stuck.write(new TextEncoder().encode(
    `GET /events HTTP/1.1\r\nHost: ${hostOf(page)}\r\n\r\n`,
  ));
  while (page.stats["clients"] === 0) await turn();
  page.write(messagesFrom(1, 500));
  await page.close();
  using listener = Deno.listen({ hostname, port: Number(port) });
  assertEquals(listener.addr.port, Number(port));
});

Deno.test("close does not wait for a reply that never arrives", async () => {
  const called = Promise.withResolvers<void>();
  const page = openPage({
    send: () => {
      called.resolve();
      return new Promise(() => {});
    },
  });
  const sent = fetch(new URL("/send", page.url), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: '{"text":"ping"}',
  }).catch(() => {});
  await called.promise;
  await page.close();
  await sent;
});

Deno.test("a port that is taken is reported with its address", async () => {
  await withPage((page) => {
    const listen = hostOf(page);
    assertThrows(
      () => openPage({ listen }),
      Deno.errors.AddrInUse,
      `Cannot open the page on ${listen}: Address already in use`,
    );
    return Promise.resolve();
  });
});

Deno.test("beyond loopback a page needs a token", () => {
  for (
    const listen of ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.org:0"]
  ) {
    assertThrows(
      () => openPage({ listen }),
      TypeError,
      `Cannot open the page on ${listen} without a token`,
    );
  }
  assertThrows(() => openPage({ token: "" }), TypeError, "the token is empty");
});

Deno.test("anything but HOST:PORT is refused, and the error says so", () => {
  for (
    const listen of ["", "127.0.0.1", "unix:/p", "udp://127.0.0.1:1", "a b:1"]
  ) {
    assertThrows(
      () => open({ listen, stats, send }),
      InvalidAddressError,
      'must be HOST:PORT, as in "127.0.0.1:62080"',
    );
  }
});
