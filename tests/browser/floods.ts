/// <reference lib="dom" />
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Page as Tab } from "playwright-core";
import { messagesFrom, openPage, range } from "../support/pages.ts";
import { browserTest, waitForRows } from "./support/browser.ts";

/** What is shown, newest first: a message's number, or how many were skipped. */
function shown(tab: Tab): Promise<({ id: number } | { skipped: number })[]> {
  return tab.locator("#rows tr:not([hidden])").evaluateAll((rows) =>
    rows.map((row) => {
      const text = row.textContent ?? "";
      const skipped = /^([\d,]+) messages? skipped here$/.exec(text)?.[1];
      return skipped === undefined
        ? { id: Number(/message (\d+)/.exec(text)?.[1]) }
        : { skipped: Number(skipped.replaceAll(",", "")) };
    })
  );
}

/** Asserts that each gap is marked with its size. Returns the numbers shown. */
async function exactIds(tab: Tab): Promise<number[]> {
  const ids: number[] = [];
  let gap = 0;
  for (const row of await shown(tab)) {
    if ("skipped" in row) {
      assertEquals(gap, 0, "two marks for one gap");
      gap = row.skipped;
      continue;
    }
    const newer = ids.at(-1);
    if (newer !== undefined) assertEquals(newer - row.id - 1, gap);
    gap = 0;
    ids.push(row.id);
  }
  assertEquals(gap, 0, "a mark below the oldest message");
  return ids;
}

async function shows(tab: Tab, id: number): Promise<void> {
  await tab.getByText(`message ${id}`, { exact: true }).waitFor();
}

browserTest(
  "after a flood each gap in the table is marked, and the note is about the table",
  async (open) => {
    const page = openPage();
    try {
      const tab = await open(page.url);
      const note = tab.locator("#sampled");
      page.write(messagesFrom(1, 100));
      await shows(tab, 100);
      assertEquals(await exactIds(tab), range(1, 100).reverse());
      assertEquals(await note.isVisible(), false);
      page.write(messagesFrom(101, 6000));
      await shows(tab, 6100);
      page.write(messagesFrom(6101, 1));
      await shows(tab, 6101);
      const ids = await exactIds(tab);
      assert(ids.length < 500);
      assertEquals(ids[0], 6101);
      const oneOf = Math.round((ids[0]! - ids.at(-1)! + 1) / ids.length);
      assertMatch(
        await note.innerText(),
        new RegExp(`^Showing 1 of ${oneOf} messages in the list: `),
      );
      // It is there while the gaps are, and no longer.
      for (const id of [6102, 6302, 6502]) {
        page.write(messagesFrom(id, 200));
        await shows(tab, id + 199);
      }
      await note.waitFor({ state: "hidden" });
      const last = await exactIds(tab);
      assertEquals(last, range(last.at(-1)!, 6701).reverse());
      assertEquals(last.length, 500);
    } finally {
      await page.close();
    }
  },
);

browserTest(
  "with a filter the gaps are not shown, and the note still counts all messages",
  async (open) => {
    const page = openPage();
    try {
      const tab = await open(page.url);
      page.write(messagesFrom(1, 5000));
      await shows(tab, 5000);
      await tab.getByRole("searchbox").fill("message 5000");
      assertEquals(await shown(tab), [{ id: 5000 }]);
      assertMatch(
        await tab.locator("#sampled").innerText(),
        /^Showing 1 of \d+ messages in the list: /,
      );
      await tab.getByRole("searchbox").fill("no such message");
      const ids = await tab.locator("#rows .payload").count();
      await tab.getByText(`No match in the last ${ids} messages.`).waitFor();
    } finally {
      await page.close();
    }
  },
);

browserTest(
  "a row shows its date as soon as it is not of today, also after midnight",
  async (open) => {
    const page = openPage();
    try {
      const today = new Date();
      // The tab's clock goes on; it may take minutes until the rows are there.
      today.setHours(23, 50, 0, 0);
      const yesterday = new Date(today);
      yesterday.setDate(today.getDate() - 1);
      const tab = await open(page.url, async (tab) => {
        await tab.clock.install({ time: today });
      });
      const [first, second] = messagesFrom(1, 2);
      page.write([
        { ...first!, time: yesterday },
        { ...second!, time: today },
      ]);
      await waitForRows(tab, 2);
      const times = () => tab.locator("#rows time").allInnerTexts();
      const two = (n: number) => String(n).padStart(2, "0");
      const day = (date: Date) =>
        `${date.getFullYear()}-${two(date.getMonth() + 1)}-${
          two(date.getDate())
        }`;
      assertEquals(await times(), [
        "23:50:00.000",
        `${day(yesterday)} 23:50:00.000`,
      ]);
      await tab.clock.fastForward(11 * 60_000);
      assertEquals(await times(), [
        `${day(today)} 23:50:00.000`,
        `${day(yesterday)} 23:50:00.000`,
      ]);
    } finally {
      await page.close();
    }
  },
);
