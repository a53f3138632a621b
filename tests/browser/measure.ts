/// <reference lib="dom" />
import { assertEquals } from "@std/assert";
import { MeasurePage } from "../../lib/programs/measure/page.ts";
import { intervalWith, resultWith } from "../support/measure_results.ts";
import { browserTest } from "./support/browser.ts";

browserTest(
  "the page of a measurement shows the seconds as they come, and the result",
  async (open) => {
    const page = new MeasurePage("udp://127.0.0.1:62862", {
      listen: "127.0.0.1:0",
    });
    page.interval(intervalWith({ startMs: 0, sent: 200, received: 150 }));
    const tab = await open(page.url);
    const sent = tab.locator("#sent");
    await sent.getByText("200", { exact: true }).waitFor();
    page.interval(intervalWith({ sent: 100, received: 99, waiting: 7 }));
    await sent.getByText("300", { exact: true }).waitFor();
    assertEquals(await tab.locator("#received").innerText(), "249");
    assertEquals(await tab.locator("#waiting").innerText(), "7");
    assertEquals(await tab.locator("canvas").count(), 2);
    const invalid = ["<b>It was late</b>"];
    await page.close(resultWith({ valid: false, invalid }));
    await tab.getByText("Done", { exact: true }).waitFor();
    assertEquals(
      await tab.locator("#verdict").innerText(),
      "Invalid: <b>It was late</b>",
    );
    assertEquals(
      await tab.locator("#lost td").allInnerTexts(),
      ["1", "80", "2", "84", "1", "3", "0"],
    );
  },
);
