import { assertEquals } from "@std/assert";
import { Rates } from "../lib/sinks/page/rates.ts";
import { EventReader, messagesFrom, withPage } from "./support/pages.ts";

Deno.test("the last two minutes are counted by whole seconds since the start", () => {
  let now = 5_300;
  const rates = new Rates(() => now);
  rates.add(3);
  assertEquals(rates.history().perSecond, []);
  now = 6_000;
  rates.add(2);
  rates.add(2);
  now = 6_999;
  assertEquals(rates.history().perSecond, [3]);
  now = 9_100;
  rates.add(1);
  assertEquals(rates.history().perSecond, [3, 4, 0, 0]);
  now = 125_000;
  assertEquals(rates.history().perSecond.slice(0, 5), [3, 4, 0, 0, 1]);
  assertEquals(rates.history().perSecond.length, 120);
  now = 127_000;
  assertEquals(rates.history().perSecond.slice(0, 3), [0, 0, 1]);
  now = 500_000;
  assertEquals(rates.history().perSecond, new Array(120).fill(0));
});

Deno.test("the end of the last whole second is a wall-clock time", () => {
  const { until } = new Rates(() => 7_250).history();
  const late = Date.now() - until;
  assertEquals(late >= 250 && late < 10_000, true);
});

Deno.test("a page that is opened gets the server's own last two minutes", () =>
  withPage(async (page) => {
    page.write(messagesFrom(1, 700));
    for (;;) {
      await using reader = await EventReader.open(page);
      const { rates } = (await reader.named("stats")).data;
      const sum = rates.perSecond.reduce(
        (sum: number, n: number) => sum + n,
        0,
      );
      // The second in which they came is not over yet.
      if (sum === 0) continue;
      assertEquals(sum, 700);
      return;
    }
  }));
