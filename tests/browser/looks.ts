/// <reference lib="dom" />
import { assert, assertEquals } from "@std/assert";
import { browserTest, Collector, waitForRows } from "./support/browser.ts";

const SIZES = [[360, 1400], [1440, 900]] as const;
const THEMES = ["light", "dark"] as const;

const TEXTS = [
  "Bonjour je vous envoi un message !",
  '{"sensor":"attic","temperature":19.4,"humidity":0.61,"battery":3.71}',
  "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
  "\x1b[31mred\x1b[0m\u202etxt.exe",
  "",
  new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00, 0xff, 0xfe]),
  "metrics.requests:1|c|#env:prod",
  "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do. ".repeat(
    20,
  ),
  "ping",
];

for (const [width, height] of SIZES) {
  for (const colorScheme of THEMES) {
    browserTest(
      `at ${width} px, ${colorScheme}, nothing is cut off`,
      async (open) => {
        await using collector = new Collector({
          answer: (text) => text === "ping" ? "pong" : undefined,
        });
        const tab = await open(collector.page.url);
        await using peer = await collector.peer();
        let sent = 0;
        for (let second = 0; second < 5; second++) {
          for (let i = 0; i < 3 + second % 3 * 4; i++, sent++) {
            await peer.send(TEXTS[(second * 3 + i) % TEXTS.length]!);
          }
          await tab.waitForResponse(() => true, { timeout: 700 }).catch(
            () => {},
          );
        }
        await waitForRows(tab, sent);
        for (const text of ["ping", "is anyone there?"]) {
          await tab.getByLabel("Text to send to this server").fill(text);
          await tab.getByRole("button", { name: "Send" }).click();
        }
        await tab.getByText("no reply", { exact: true }).waitFor();
        await waitForRows(tab, sent + 2);
        await tab.getByRole("button", { name: /^Bytes of message/ }).nth(3)
          .click();
        await tab.locator("#chart canvas").waitFor();
        await tab.screenshot({
          path: `screenshots/page-${width}-${colorScheme}.png`,
        });
        assert(
          await tab.evaluate(() =>
            document.documentElement.scrollWidth <= globalThis.innerWidth
          ),
        );
      },
      { width, height, colorScheme },
    );
  }
}

const LARGE = {
  received: 1_234_567_890,
  bytes: 123_456_789_012,
  truncated: 0,
  waiting: 0,
  sent: 1_234_567_890,
  sentBytes: 123_456_789_012,
  sendFailed: 0,
  sending: 0,
  unreachable: 0,
  withheld: {},
  dropped: { rateLimited: 1_234_567_890 },
  sinks: {},
};

for (const width of [360, 800, 1440]) {
  browserTest(
    `at ${width} px large totals fit, and buttons are large enough`,
    async (open) => {
      await using collector = new Collector({
        stats: () => Promise.resolve(LARGE),
      });
      const tab = await open(collector.page.url);
      await using peer = await collector.peer();
      await peer.send("a message");
      await waitForRows(tab, 1);
      await tab.getByText("1,234,567,890").first().waitFor();
      const cut = await tab.locator("dd, output, button, .from").evaluateAll(
        (all) =>
          all.filter((one) => one.scrollWidth > one.clientWidth)
            .map((one) => one.textContent),
      );
      assertEquals(cut, []);
      const small = await tab.getByRole("button").evaluateAll((all) =>
        all.filter((one) => one.getBoundingClientRect().height < 24)
          .map((one) => one.textContent)
      );
      assertEquals(small, []);
      // A short message takes one line, or two on a narrow screen.
      const { height } = (await tab.locator("#rows tr").boundingBox())!;
      assert(height < (width === 360 ? 64 : 40), `${height} px`);
    },
    { width, height: 900 },
  );
}

browserTest(
  "a screen reader announces the connection and replies, not each number",
  async (open) => {
    await using collector = new Collector();
    const tab = await open(collector.page.url);
    const live = await tab.locator("[aria-live], [role=status], output")
      .evaluateAll((all) => all.map(({ id }) => id));
    assertEquals(live, ["state", "sent-list"]);
  },
);
