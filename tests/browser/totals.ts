/// <reference lib="dom" />
import { assertEquals, assertMatch } from "@std/assert";
import type { CollectorStats } from "../../lib/sink.ts";
import { STATS, withPage } from "../support/pages.ts";
import { browserTest } from "./support/browser.ts";

browserTest(
  "what the system dropped is part of a sum, and where it is not known the page says so",
  async (open) => {
    let stats: CollectorStats = { ...STATS, kernelDrops: null };
    await withPage(async (page) => {
      const tab = await open(page.url);
      const dropped = tab.locator("#dropped");
      const counts = tab.locator("#counts");
      await counts.getByText("unknown").waitFor();
      assertMatch(await counts.innerText(), /by the system\s+unknown/);
      assertEquals(await dropped.innerText(), "≥ 5");
      stats = { ...STATS, kernelDrops: 8 };
      await counts.getByText("unknown").waitFor({ state: "detached" });
      assertMatch(await counts.innerText(), /by the system\s+8/);
      assertEquals(await dropped.innerText(), "13");
      // Over connections the system drops nothing.
      stats = STATS;
      await counts.getByText("by the system").waitFor({ state: "detached" });
      assertEquals(await dropped.innerText(), "5");
    }, { stats: () => Promise.resolve(stats) });
  },
);
