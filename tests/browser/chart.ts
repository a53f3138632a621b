/// <reference lib="dom" />
import { assert } from "@std/assert";
import type { Page as Tab } from "playwright-core";
import { EventReader, messagesFrom, openPage } from "../support/pages.ts";
import { browserTest } from "./support/browser.ts";

/** How high the chart's line reaches, as a part of the chart. */
function lineHeight(tab: Tab): Promise<number> {
  return tab.evaluate(() => {
    const chart = document.getElementById("chart")!;
    const { width, height } = chart.querySelector("canvas")!;
    const pixels = (draw: (context: CanvasRenderingContext2D) => void) => {
      const context = new OffscreenCanvas(width, height).getContext("2d")!;
      draw(context as unknown as CanvasRenderingContext2D);
      return context.getImageData(0, 0, width, height).data;
    };
    const [red, green, blue] = pixels((context) => {
      context.fillStyle = getComputedStyle(chart).getPropertyValue("--accent");
      context.fillRect(0, 0, 1, 1);
    });
    const data = pixels((context) =>
      context.drawImage(chart.querySelector("canvas")!, 0, 0)
    );
    for (let i = 0; i < data.length; i += 4) {
      if (data[i] === red && data[i + 1] === green && data[i + 2] === blue) {
        return 1 - Math.floor(i / 4 / width) / height;
      }
    }
    return 0;
  });
}

browserTest(
  "the chart starts with the server's own last two minutes",
  async (open) => {
    const page = openPage();
    try {
      page.write(messagesFrom(1, 700));
      {
        await using reader = await EventReader.open(page);
        for (;;) {
          const { rates } = (await reader.named("stats")).data;
          if (rates.perSecond.length >= 2) break;
        }
      }
      const tab = await open(page.url);
      await tab.locator("#chart canvas").waitFor();
      await tab.waitForFunction(() =>
        document.getElementById("rate")?.textContent === "0"
      );
      assert(await lineHeight(tab) > 0.5);
    } finally {
      await page.close();
    }
  },
);
