import { assert, assertEquals } from "@std/assert";
import type { Page } from "../lib/sinks/page.ts";
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

/** What a page that was away since that event gets, up to that message. */
async function away(page: Page, lastEventId: string, upTo: number) {
  await using reader = await EventReader.open(page, lastEventId);
  return await reader.until(upTo);
}

/** The id of the newest event. */
async function lastEventId(page: Page, upTo: number): Promise<string> {
  await using reader = await EventReader.open(page);
  return (await reader.until(upTo)).at(-1)?.id ?? "";
}

Deno.test("a page starts with the recent past, then gets what comes, each once", () =>
  withPage(async (page) => {
    page.write(messagesFrom(1, 3));
    await using reader = await EventReader.open(page);
    const past = await reader.until(3);
    assertEquals(past[0].name, "start");
    assertEquals(idsIn(past), [1, 2, 3]);
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
    assertEquals(events[0].data.skipped, 0);
  }));

Deno.test("a page that a browser opens anew names its last event in the address", () =>
  withPage(async (page) => {
    page.write(messagesFrom(1, 10));
    const seen = await lastEventId(page, 10);
    page.write([message(11)]);
    await using reader = await EventReader.at(page, `/events?last=${seen}`);
    assertEquals(idsIn(await reader.until(11)), [11]);
  }));

Deno.test("a page that missed very much gets the last 1,000, and is told how many it does not get", () =>
  withPage(async (page) => {
    page.write(messagesFrom(1, 10));
    const seen = await lastEventId(page, 10);
    page.write(messagesFrom(11, 5000));
    const events = await away(page, seen, 5010);
    assertEquals(events[0].data.skipped, 4000);
    assertEquals(idsIn(events), range(4011, 5010));
    assertEquals(page.stats.skipped, 4000);
  }));

Deno.test("an event's id of another past, or ahead of this one, resets the page", () =>
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

Deno.test("a store that survives lets a page go on after a restart, nothing missing, nothing twice", async () => {
  const past = new FakeStore();
  past.messages.push(...messagesFrom(1, 20));
  let seen = "";
  await withPage(async (page) => {
    seen = await lastEventId(page, 20);
  }, { past });
  past.messages.push(...messagesFrom(21, 5));
  await withPage(async (page) => {
    await using reader = await EventReader.open(page, seen);
    assertEquals(idsIn(await reader.until(25)), range(21, 25));
    page.write([message(26)]);
    assertEquals(idsIn(await reader.until(26)), [26]);
  }, { past });
});

Deno.test("messages that a crash kept from the store are not taken for those that have their numbers now", async () => {
  const past = new FakeStore();
  past.messages.push(...messagesFrom(1, 10));
  let seen = "";
  await withPage(async (page) => {
    // Shown, and never kept.
    page.write(messagesFrom(11, 5));
    seen = await lastEventId(page, 15);
  }, { past });
  await withPage(async (page) => {
    page.write(messagesFrom(11, 10));
    const events = await away(page, seen, 20);
    assertEquals(events[0].name, "reset");
    assertEquals(idsIn(events), range(1, 20));
  }, { past });
});

Deno.test("a store that writes late leaves no gap and no duplicate", async () => {
  const past = new FakeStore();
  past.messages.push(...messagesFrom(1, 10));
  await withPage(async (page) => {
    const live = messagesFrom(11, 30);
    page.write(live);
    // It has written a third of what the page knows.
    past.messages.push(...live.slice(0, 10));
    const newest = await lastEventId(page, 40);
    const seen = newest.replace(/\d+$/, "5");
    assertEquals(idsIn(await away(page, seen, 40)), range(6, 40));
    const later = newest.replace(/\d+$/, "25");
    assertEquals(idsIn(await away(page, later, 40)), range(26, 40));
    past.messages.push(...live.slice(10));
    assertEquals(idsIn(await away(page, seen, 40)), range(6, 40));
  }, { past });
});

Deno.test("numbers that a store has lost are told as skipped", async () => {
  const past = new FakeStore();
  past.messages.push(...messagesFrom(1, 5), ...messagesFrom(9, 2));
  await withPage(async (page) => {
    const seen = (await lastEventId(page, 10)).replace(/\d+$/, "4");
    const events = await away(page, seen, 10);
    assertEquals(idsIn(events), [5, 9, 10]);
    assertEquals(events.at(-1)?.data.skipped, 3);
  }, { past });
});

Deno.test("more than a page can show is a sample that says one of how many", () =>
  withPage(async (page) => {
    await using reader = await EventReader.open(page);
    await reader.named("start");
    page.write(messagesFrom(1, 5000));
    const events = await reader.until(5000);
    const [{ data }] = events;
    assertEquals(events.length, 1);
    assertEquals(numberOf(events[0]), 5000);
    assertEquals(data.oneOf, 5000 / data.messages.length);
    assert(data.messages.length > 0 && data.messages.length <= 250);
    assertEquals(data.messages.at(-1)?.id, 5000);
    const { shown, skipped } = page.stats;
    assertEquals(shown + skipped, 5000);
  }));

Deno.test("an event holds at most 1,024 bytes of a message, and says its size", () =>
  withPage(async (page) => {
    page.write([message(1, "é".repeat(5000)), message(2, "x".repeat(1024))]);
    // An odd number of bytes: the cut goes through a character.
    page.write([message(3, "x" + "é".repeat(5000))]);
    await using reader = await EventReader.open(page);
    const { data } = (await reader.until(3)).at(-1) ?? { data: undefined };
    const [first, second, third] = data?.messages ?? [];
    assertEquals([first.size, first.text, first.cut], [
      10_000,
      "é".repeat(512),
      true,
    ]);
    assertEquals([second.size, second.text?.length], [1024, 1024]);
    assertEquals(second.cut, undefined);
    assertEquals(third.text, "x" + "é".repeat(511));
  }));

Deno.test("what has been counted is told at once, and again each second", async () => {
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

Deno.test("stats that cannot be had do not end the stream", async () => {
  const stats = () => Promise.reject(new Error("not now"));
  await withPage(async (page) => {
    await using reader = await EventReader.open(page);
    await reader.named("start");
    page.write([message(1)]);
    assertEquals(idsIn(await reader.until(1)), [1]);
  }, { stats });
});

Deno.test("a store that cannot be read ends the stream, and the page goes on", async () => {
  const past = new FakeStore();
  past.messages.push(...messagesFrom(1, 1000));
  await withPage(async (page) => {
    await using reader = await EventReader.open(page);
    const after = past.after;
    past.after = () => {
      throw new Error("the disk is gone");
    };
    while (await reader.next() !== undefined);
    past.after = after;
    await using again = await EventReader.open(page);
    assertEquals(idsIn(await again.until(1000)), range(501, 1000));
  }, { past });
});

Deno.test("without a page nothing is asked and no timer runs", async () => {
  let asked = 0;
  const stats = () => Promise.resolve({ ...STATS, received: ++asked });
  // The sanitizers see the timers.
  const page = openPage({ stats });
  page.write(messagesFrom(1, 10));
  await page.flush();
  await page.close();
  assertEquals(asked, 0);
});
