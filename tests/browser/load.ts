/// <reference lib="dom" />
import { assert, assertEquals } from "@std/assert";
import { turn } from "../support/helpers.ts";
import { browserTest, Collector } from "./support/browser.ts";

const FRAMES = 60;
const PER_BURST = 100;
const BURST_MS = 10;

browserTest(
  "at 10,000 messages per second the page responds, shows a sample, and exact totals",
  async (open) => {
    await using collector = new Collector();
    const tab = await open(collector.page.url);
    await using peer = await collector.peer();
    await tab.evaluate(() => {
      const counter = { frames: 0 };
      Object.assign(globalThis, { counter });
      const next = () => {
        counter.frames++;
        requestAnimationFrame(next);
      };
      next();
    });
    const frames = () =>
      tab.evaluate(() => Reflect.get(globalThis, "counter").frames as number);
    let sent = 0;
    let isOver = false;
    const sending = (async () => {
      const start = performance.now();
      while (!isOver) {
        const due = (performance.now() - start) / BURST_MS * PER_BURST;
        while (sent < due) await peer.send(`message ${++sent}`);
        await new Promise((go) => setTimeout(go, BURST_MS));
      }
    })();
    await tab.getByText(/^Showing 1 of \d/).waitFor();
    // It can be used at the same time.
    await tab.getByRole("searchbox").fill("message");
    const before = await frames();
    while (await frames() < before + FRAMES || collector.stats.received < 2000);
    isOver = true;
    await sending;
    assert(await tab.locator("#rows tr").count() <= 500);
    // The system may have dropped some, because the buffer was full. Others may
    // still wait there.
    const total = async () =>
      (await tab.locator("#received").innerText()).replaceAll(",", "");
    while (await total() !== `${collector.stats.received}`);
    // A browser that was slow is still catching up.
    const covered = () => {
      const { shown = NaN, skipped = NaN } = collector.page.stats;
      return shown + skipped;
    };
    while (covered() < collector.stats.received) await turn();
    assertEquals(covered(), collector.stats.received);
  },
);
