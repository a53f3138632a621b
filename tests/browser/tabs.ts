/// <reference lib="dom" />
import { assertEquals } from "@std/assert";
import type { Page as Tab } from "playwright-core";
import { turn } from "../support/helpers.ts";
import { message, messagesFrom, openPage, withPage } from "../support/pages.ts";
import {
  browserTest,
  Collector,
  shownTexts,
  waitForRows,
} from "./support/browser.ts";

/** More than a browser has connections to a server. */
const TABS = 9;

/** Lets a tab believe that it is hidden, or that it is seen. */
async function setHidden(tab: Tab, hidden: boolean): Promise<void> {
  await tab.evaluate((hidden) => {
    const state = hidden ? "hidden" : "visible";
    Object.defineProperty(document, "hidden", {
      value: hidden,
      configurable: true,
    });
    Object.defineProperty(document, "visibilityState", {
      value: state,
      configurable: true,
    });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}

browserTest(
  "nine tabs of one browser are all live, their forms and hex work, and they take one stream",
  async (open) => {
    await using collector = new Collector({ answer: () => "pong" });
    await using peer = await collector.peer();
    const tabs: Tab[] = [];
    for (let i = 0; i < TABS; i++) {
      tabs.push(await open(collector.page.url));
      await peer.send(`message ${i}`);
      await tabs[i]!.getByText(`message ${i}`, { exact: true }).waitFor();
    }
    await peer.send("x".repeat(2000));
    const expected = Array.from(
      { length: TABS },
      (_, i) => `message ${TABS - 1 - i}`,
    );
    for (const tab of tabs) {
      await waitForRows(tab, TABS + 1);
      assertEquals((await shownTexts(tab)).slice(1), expected);
    }
    assertEquals(collector.page.stats["clients"], 1);
    for (const tab of [tabs[0]!, tabs.at(-1)!]) {
      await tab.getByLabel("Text to send to this server").fill("ping");
      await tab.getByRole("button", { name: "Send" }).click();
      await tab.getByRole("listitem").filter({ hasText: "pong" }).waitFor();
      await tab.getByRole("button", {
        name: `Bytes of message ${TABS + 1} as hex`,
      }).click();
      await tab.getByText(/07c0 {2}78 78 /).waitFor();
    }
  },
);

browserTest(
  "a tab that is opened later, or again, shows what the others show",
  (open) =>
    withPage(async (page) => {
      page.write(messagesFrom(1, 20));
      const first = await open(page.url);
      await waitForRows(first, 20);
      page.write(messagesFrom(21, 600));
      await waitForRows(first, 500);
      const second = await open(page.url);
      await waitForRows(second, 500);
      assertEquals(await shownTexts(second), await shownTexts(first));
      await first.close();
      page.write([message(621)]);
      await second.getByText("message 621", { exact: true }).waitFor();
      await second.reload();
      await waitForRows(second, 500);
      assertEquals((await shownTexts(second))[0], "message 621");
      await second.close();
      while (page.stats["clients"] !== 0) await turn();
    }),
);

browserTest(
  "a hidden tab lets go of the stream, and misses nothing when it is seen again",
  (open) =>
    withPage(async (page) => {
      page.write(messagesFrom(1, 10));
      const tabs = [await open(page.url), await open(page.url)];
      for (const tab of tabs) {
        await waitForRows(tab, 10);
        await setHidden(tab, true);
      }
      while (page.stats["clients"] !== 0) await turn();
      page.write(messagesFrom(11, 10));
      await setHidden(tabs[0]!, false);
      await waitForRows(tabs[0]!, 20);
      page.write(messagesFrom(21, 10));
      await waitForRows(tabs[0]!, 30);
      assertEquals(await tabs[1]!.locator("#rows tr").count(), 10);
      await setHidden(tabs[1]!, false);
      await waitForRows(tabs[1]!, 30);
      assertEquals(await shownTexts(tabs[1]!), await shownTexts(tabs[0]!));
      assertEquals(page.stats["clients"], 1);
    }),
);

browserTest(
  "all tabs continue when the server is back, or start over if it has no history",
  async (open) => {
    const page = openPage();
    page.write(messagesFrom(1, 5));
    const tabs = [await open(page.url), await open(page.url)];
    for (const tab of tabs) await waitForRows(tab, 5);
    const listen = new URL(page.url).host;
    await page.close();
    for (const tab of tabs) await tab.getByText("reconnecting").waitFor();
    await withPage(async (page) => {
      page.write([message(1, "another run")]);
      for (const tab of tabs) {
        await tab.getByText("another run").waitFor();
        await tab.getByText("Live", { exact: true }).waitFor();
        assertEquals(await shownTexts(tab), ["another run"]);
      }
      const late = await open(page.url);
      await waitForRows(late, 1);
    }, { listen });
  },
  { expected: /ERR_|network error/ },
);

/** Leaves a tab without shared workers, or with such that fail. */
const WITHOUT: Record<string, (tab: Tab) => Promise<unknown>> = {
  "without shared workers": (tab) =>
    tab.addInitScript(() => {
      Reflect.deleteProperty(globalThis, "SharedWorker");
    }),
  "whose shared workers fail": (tab) =>
    tab.addInitScript(() => {
      class Failing extends EventTarget {
        readonly port = new MessageChannel().port1;
        constructor() {
          super();
          setTimeout(() => this.dispatchEvent(new Event("error")));
        }
      }
      Object.assign(globalThis, { SharedWorker: Failing });
    }),
};

for (const [which, without] of Object.entries(WITHOUT)) {
  browserTest(
    `a browser ${which} has a stream per tab, while it is seen`,
    (open) =>
      withPage(async (page) => {
        page.write(messagesFrom(1, 5));
        const tab = await open(page.url, without);
        await waitForRows(tab, 5);
        const other = await open(page.url, without);
        await waitForRows(other, 5);
        assertEquals(page.stats["clients"], 2);
        await setHidden(tab, true);
        while (page.stats["clients"] !== 1) await turn();
        page.write([message(6)]);
        await waitForRows(other, 6);
        await setHidden(tab, false);
        await waitForRows(tab, 6);
      }),
  );
}
