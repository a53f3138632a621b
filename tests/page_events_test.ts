import { assert, assertEquals } from "@std/assert";
import type { Page } from "../lib/sinks/page.ts";
import { turn } from "./support/helpers.ts";
import {
  EventReader,
  FakeStore,
  idsIn,
  message,
  messagesFrom,
  numberOf,
  openPage,
  range,
  STATS,
  withPage,
} from "./support/pages.ts";

/** The events that a page gets which was away since an event, up to a message. */
async function away(page: Page, lastEventId: string, upTo: number) {
  await using reader = await EventReader.open(page, lastEventId);
  return await reader.until(upTo);
}

/** The id of the event that covers a message. */
async function lastEventId(page: Page, upTo: number): Promise<string> {
  let id = "";
  {
    await using reader = await EventReader.open(page);
    id = (await reader.until(upTo)).at(-1)?.id ?? "";
  }
  // Until the server has seen its end, it counts what that stream skips.
  while (page.stats["clients"] !== 0) await turn();
  return id;
}

Deno.test("a page starts with recent messages, then gets new ones, each once", () =>
  withPage(async (page) => {
    page.write(messagesFrom(1, 3));
    await using reader = await EventReader.open(page);
    const first = await reader.until(3);
    assertEquals(first[0]?.name, "start");
    assertEquals(idsIn(first), [1, 2, 3]);
    page.write([message(4)]);
    page.write([message(5)]);
    assertEquals(idsIn(await reader.until(5)), [4, 5]);
  }));

Deno.test("a page starts with the last 500 messages, not with more", () =>
  withPage(async (page) => {
    page.write(messagesFrom(1, 900));
    await using reader = await EventReader.open(page);
    assertEquals(idsIn(await reader.until(900)), range(401, 900));
  }));

Deno.test("a page that was away gets exactly what it missed", () =>
  withPage(async (page) => {
    page.write(messagesFrom(1, 10));
    const seen = await lastEventId(page, 10);
    page.write(messagesFrom(11, 600));
    const events = await away(page, seen, 610);
    assertEquals(idsIn(events), range(11, 610));
    assertEquals(events[0]?.data.skipped, 0);
  }));

Deno.test("a page that opens a new stream names its last event in the URL", () =>
  withPage(async (page) => {
    page.write(messagesFrom(1, 10));
    const seen = await lastEventId(page, 10);
    page.write([message(11)]);
    await using reader = await EventReader.at(page, `/events?last=${seen}`);
    assertEquals(idsIn(await reader.until(11)), [11]);
  }));

Deno.test("a page that missed thousands gets the last 1,000, and how many it does not get", () =>
  withPage(async (page) => {
    page.write(messagesFrom(1, 10));
    const seen = await lastEventId(page, 10);
    page.write(messagesFrom(11, 5000));
    const events = await away(page, seen, 5010);
    assertEquals(events[0]?.data.skipped, 4000);
    assertEquals(idsIn(events), range(4011, 5010));
    assertEquals(page.stats["skipped"], 4000);
  }));

Deno.test("an event's id of another log, or ahead of this one, resets the page", () =>
  withPage(async (page) => {
    page.write(messagesFrom(1, 3));
    const seen = await lastEventId(page, 3);
    const ahead = seen.replace(/\d+$/, "4");
    for (const id of ["another-2", ahead, "nonsense", "-", "2"]) {
      const events = await away(page, id, 3);
      assertEquals(events.map(({ name }) => name).slice(0, 2), [
        "reset",
        "start",
      ]);
      assertEquals(idsIn(events), [1, 2, 3]);
    }
  }));

Deno.test("with a store a page continues after a restart, each message once", async () => {
  const log = new FakeStore();
  log.messages.push(...messagesFrom(1, 20));
  let seen = "";
  await withPage(async (page) => {
    seen = await lastEventId(page, 20);
  }, { log });
  log.messages.push(...messagesFrom(21, 5));
  await withPage(async (page) => {
    await using reader = await EventReader.open(page, seen);
    assertEquals(idsIn(await reader.until(25)), range(21, 25));
    page.write([message(26)]);
    assertEquals(idsIn(await reader.until(26)), [26]);
  }, { log });
});

Deno.test("messages lost in a crash are not confused with those that have their numbers now", async () => {
  const log = new FakeStore();
  log.messages.push(...messagesFrom(1, 10));
  let seen = "";
  await withPage(async (page) => {
    // Shown, and never stored.
    page.write(messagesFrom(11, 5));
    seen = await lastEventId(page, 15);
  }, { log });
  await withPage(async (page) => {
    page.write(messagesFrom(11, 10));
    const events = await away(page, seen, 20);
    assertEquals(events[0]?.name, "reset");
    assertEquals(idsIn(events), range(1, 20));
  }, { log });
});

Deno.test("a store that writes late leaves no gap and no duplicate", async () => {
  const log = new FakeStore();
  log.messages.push(...messagesFrom(1, 10));
  await withPage(async (page) => {
    const live = messagesFrom(11, 30);
    page.write(live);
    // The store has written a third of them.
    log.messages.push(...live.slice(0, 10));
    const newest = await lastEventId(page, 40);
    const seen = newest.replace(/\d+$/, "5");
    assertEquals(idsIn(await away(page, seen, 40)), range(6, 40));
    const later = newest.replace(/\d+$/, "25");
    assertEquals(idsIn(await away(page, later, 40)), range(26, 40));
    log.messages.push(...live.slice(10));
    assertEquals(idsIn(await away(page, seen, 40)), range(6, 40));
  }, { log });
});

Deno.test("numbers that a store does not have are reported as skipped", async () => {
  const log = new FakeStore();
  log.messages.push(...messagesFrom(1, 5), ...messagesFrom(9, 2));
  await withPage(async (page) => {
    const seen = (await lastEventId(page, 10)).replace(/\d+$/, "4");
    const events = await away(page, seen, 10);
    assertEquals(idsIn(events), [5, 9, 10]);
    assertEquals(events.at(-1)?.data.skipped, 3);
  }, { log });
});

Deno.test("too many messages become a sample that states its ratio", () =>
  withPage(async (page) => {
    await using reader = await EventReader.open(page);
    await reader.named("start");
    page.write(messagesFrom(1, 5000));
    const [event, ...others] = await reader.until(5000);
    assert(event !== undefined);
    assertEquals(others, []);
    assertEquals(numberOf(event), 5000);
    const { data } = event;
    assertEquals(data.oneOf, 5000 / data.messages.length);
    assert(data.messages.length > 0 && data.messages.length <= 250);
    assertEquals(data.messages.at(-1)?.id, 5000);
    const { shown = NaN, skipped = NaN } = page.stats;
    assertEquals(shown + skipped, 5000);
  }));

Deno.test("an event holds at most 1,024 bytes of a message, and its size", () =>
  withPage(async (page) => {
    page.write([message(1, "é".repeat(5000)), message(2, "x".repeat(1024))]);
    // An odd number of bytes: the cut goes through a character.
    page.write([message(3, "x" + "é".repeat(5000))]);
    await using reader = await EventReader.open(page);
    const { data } = (await reader.until(3)).at(-1) ?? { data: undefined };
    const [first, second, third] = data?.messages ?? [];
    assertEquals([first?.size, first?.text, first?.cut], [
      10_000,
      "é".repeat(512),
      true,
    ]);
    assertEquals([second?.size, second?.text?.length], [1024, 1024]);
    assertEquals(second?.cut, undefined);
    assertEquals(third?.text, "x" + "é".repeat(511));
  }));

Deno.test("stats are sent at once, and again each second", async () => {
  let asked = 0;
  const stats = () => Promise.resolve({ ...STATS, received: ++asked });
  await withPage(async (page) => {
    assertEquals(asked, 0);
    await using reader = await EventReader.open(page);
    for (const received of [1, 2]) {
      assertEquals((await reader.named("stats")).data.stats.received, received);
    }
  }, { stats });
});

Deno.test("stats that fail do not end the stream", async () => {
  const stats = () => Promise.reject(new Error("not now"));
  await withPage(async (page) => {
    await using reader = await EventReader.open(page);
    await reader.named("start");
    page.write([message(1)]);
    assertEquals(idsIn(await reader.until(1)), [1]);
  }, { stats });
});

Deno.test("a store that cannot be read ends the stream, and a new one works again", async () => {
  const log = new FakeStore();
  log.messages.push(...messagesFrom(1, 1000));
  await withPage(async (page) => {
    await using reader = await EventReader.open(page);
    const after = log.after;
    log.after = () => {
      throw new Error("the disk is gone");
    };
    while (await reader.next() !== undefined);
    log.after = after;
    await using again = await EventReader.open(page);
    assertEquals(idsIn(await again.until(1000)), range(501, 1000));
  }, { log });
});

Deno.test("without a page no stats are requested and no timer runs", async () => {
  let asked = 0;
  const stats = () => Promise.resolve({ ...STATS, received: ++asked });
  // The sanitizers see the timers.
  const page = openPage({ stats });
  page.write(messagesFrom(1, 10));
  await page.flush();
  await page.close();
  assertEquals(asked, 0);
});
