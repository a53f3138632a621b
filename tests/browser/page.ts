/// <reference lib="dom" />
import { assertEquals, assertMatch } from "@std/assert";
import type { Message } from "../../lib/sink.ts";
import { FakeStore } from "../support/pages.ts";
import {
  browserTest,
  Collector,
  shownTexts,
  waitForRows,
} from "./support/browser.ts";

browserTest(
  "a message appears by itself, without a reload or any other request",
  async (open) => {
    await using collector = new Collector();
    const tab = await open(collector.page.url);
    await using peer = await collector.peer();
    const requests: string[] = [];
    tab.on("request", (request) => void requests.push(request.url()));
    await peer.send("Bonjour je vous envoi un message !");
    const row = tab.getByRole("row").filter({ hasText: "Bonjour" }).first();
    await row.waitFor();
    assertEquals(requests, []);
    const { port } = peer.addr as Deno.NetAddr;
    assertMatch(
      await row.innerText(),
      new RegExp(
        `^\\d\\d:\\d\\d:\\d\\d\\.\\d{3}\\s+127.0.0.1:${port}\\s+34\\s`,
      ),
    );
  },
);

browserTest(
  "what a peer sends is shown as text and never runs",
  async (open) => {
    await using collector = new Collector();
    const tab = await open(collector.page.url);
    await using peer = await collector.peer();
    const texts = [
      "<script>alert(1)</script>",
      "<img src=x onerror=alert(1)>",
      '"><svg onload=alert(1)>',
      "javascript:alert(1)",
      "${alert(1)}{{alert(1)}}",
    ];
    for (const text of texts) await peer.send(text);
    await waitForRows(tab, texts.length);
    assertEquals((await shownTexts(tab)).reverse(), texts);
    for (const name of ["script", "img", "svg"]) {
      assertEquals(await tab.locator(`#rows ${name}`).count(), 0);
    }
  },
);

browserTest(
  "control and bidirectional characters are visible, and bytes that are not text",
  async (open) => {
    await using collector = new Collector();
    const tab = await open(collector.page.url);
    await using peer = await collector.peer();
    await peer.send("a\x1b[2J\u202eb\nc");
    await peer.send(new Uint8Array([0x61, 0xff, 0x00]));
    await peer.send("");
    await waitForRows(tab, 3);
    assertEquals(await shownTexts(tab), [
      "empty",
      "a\\xff\\x00",
      "a\\x1b[2J\\u202eb\\nc",
    ]);
  },
);

browserTest(
  "the form sends a message and shows its reply beside it",
  async (open) => {
    await using collector = new Collector({
      answer: (text) => text === "ping" ? "pong <b>" : undefined,
    });
    const tab = await open(collector.page.url);
    const sent = tab.getByRole("listitem");
    await tab.getByLabel("Text to send to this server").fill("ping");
    await tab.getByRole("button", { name: "Send" }).click();
    await sent.filter({ hasText: "pong <b>" }).waitFor();
    await tab.getByLabel("Text to send to this server").fill("silence");
    await tab.keyboard.press("Control+Enter");
    await sent.filter({ hasText: "no reply" }).waitFor();
    assertEquals((await sent.first().innerText()).split(/\n+/)[0], "silence");
    await waitForRows(tab, 2);
  },
);

browserTest("a message that cannot be sent shows the reason", async (open) => {
  await using collector = new Collector();
  const tab = await open(collector.page.url);
  await tab.getByLabel("Text to send to this server").fill("x".repeat(65_508));
  await tab.getByRole("button", { name: "Send" }).click();
  await tab.getByRole("listitem").filter({ hasText: "too long" }).or(
    tab.getByRole("listitem").filter({ hasText: "65507" }),
  ).first().waitFor();
}, { expected: /413/ });

browserTest(
  "when the server is back the page continues, each message once",
  async (open) => {
    const log = new FakeStore();
    const store: Message[] = log.messages;
    let collector = new Collector({ log, store });
    const { url } = collector.page;
    const tab = await open(url);
    {
      await using peer = await collector.peer();
      for (let i = 1; i <= 20; i++) await peer.send(`message ${i}`);
      await waitForRows(tab, 20);
    }
    await collector[Symbol.asyncDispose]();
    await tab.getByText("reconnecting").waitFor();
    const listen = new URL(url).host;
    collector = new Collector({ log, store, listen, lastId: log.lastId });
    await using _ = collector;
    await using peer = await collector.peer();
    for (let i = 21; i <= 40; i++) await peer.send(`message ${i}`);
    await tab.getByText("Live", { exact: true }).waitFor();
    for (let i = 41; i <= 50; i++) await peer.send(`message ${i}`);
    await waitForRows(tab, 50);
    assertEquals(
      (await shownTexts(tab)).reverse(),
      Array.from({ length: 50 }, (_, i) => `message ${i + 1}`),
    );
  },
  { expected: /ERR_|network error/ },
);

browserTest(
  "a server that has forgotten its messages empties the list",
  async (open) => {
    let collector = new Collector();
    const { url } = collector.page;
    const tab = await open(url);
    {
      await using peer = await collector.peer();
      await peer.send("before");
      await waitForRows(tab, 1);
    }
    await collector[Symbol.asyncDispose]();
    collector = new Collector({ listen: new URL(url).host });
    await using _ = collector;
    await using peer = await collector.peer();
    await peer.send("after");
    await tab.getByText("after", { exact: true }).waitFor();
    assertEquals(await shownTexts(tab), ["after"]);
  },
  { expected: /ERR_|network error/ },
);

browserTest(
  "a page that got an HTTP error reconnects by itself",
  async (open) => {
    let collector = new Collector();
    const { url } = collector.page;
    const { hostname, host, port } = new URL(url);
    const tab = await open(url);
    await collector[Symbol.asyncDispose]();
    const requested = Promise.withResolvers<void>();
    const broken = Deno.serve(
      { hostname, port: Number(port), onListen() {} },
      () => {
        requested.resolve();
        return new Response("not now", { status: 503 });
      },
    );
    await requested.promise;
    await broken.shutdown();
    collector = new Collector({ listen: host });
    await using _ = collector;
    await using peer = await collector.peer();
    await peer.send("back again");
    await waitForRows(tab, 1);
    await tab.getByText("Live", { exact: true }).waitFor();
  },
  { expected: /ERR_|network error|503/ },
);

browserTest(
  "the filter shows messages with that text or sender",
  async (open) => {
    await using collector = new Collector();
    const tab = await open(collector.page.url);
    await using one = await collector.peer();
    await using other = await collector.peer();
    await one.send("red apple");
    await other.send("green apple");
    await one.send("red brick");
    await waitForRows(tab, 3);
    const filter = tab.getByRole("searchbox");
    await filter.fill("APPLE");
    assertEquals(await shownTexts(tab), ["green apple", "red apple"]);
    await one.send("blue sky");
    await one.send("apple pie");
    await waitForRows(tab, 3);
    await filter.fill(`:${(other.addr as Deno.NetAddr).port}`);
    assertEquals(await shownTexts(tab), ["green apple"]);
    await filter.fill("nothing like it");
    await tab.getByText("No match in the last 5 messages.").waitFor();
    await filter.fill("");
    await waitForRows(tab, 5);
  },
);

browserTest(
  "a paused list stays as it is and counts new messages; resumed, it shows them",
  async (open) => {
    await using collector = new Collector();
    const tab = await open(collector.page.url);
    await using peer = await collector.peer();
    await peer.send("first");
    await waitForRows(tab, 1);
    await tab.getByRole("button", { name: "Pause" }).click();
    await peer.send("second");
    await peer.send("third");
    await tab.getByRole("button", { name: "Resume (2 new)" }).waitFor();
    assertEquals(await shownTexts(tab), ["first"]);
    await tab.getByRole("button", { name: "Resume" }).click();
    await waitForRows(tab, 3);
    assertEquals(await shownTexts(tab), ["third", "second", "first"]);
  },
);

browserTest("hex shows all bytes, even of a large message", async (open) => {
  await using collector = new Collector();
  const tab = await open(collector.page.url);
  await using peer = await collector.peer();
  await peer.send("é\0");
  await peer.send(new Uint8Array(5000).fill(0xab));
  await waitForRows(tab, 2);
  await tab.getByText("first 1,024 bytes").waitFor();
  await tab.getByRole("button", { name: "Bytes of message 1 as hex" }).click();
  await tab.getByText("0000  c3 a9 00").waitFor();
  await tab.getByRole("button", { name: "Bytes of message 2 as hex" }).click();
  // The last line of 5,000 bytes.
  await tab.getByText(/1380 {2}ab ab ab ab ab ab ab ab /).waitFor();
});

browserTest("everything can be done with the keyboard", async (open) => {
  await using collector = new Collector({ answer: () => "pong" });
  const tab = await open(collector.page.url);
  await using peer = await collector.peer();
  await peer.send("from outside");
  await waitForRows(tab, 1);
  const focused = () =>
    tab.evaluate(() =>
      document.activeElement?.id || document.activeElement?.textContent
    );
  const press = async (key: string, expected: string) => {
    await tab.keyboard.press(key);
    assertEquals(await focused(), expected);
  };
  await press("Tab", "Skip to the messages");
  await press("Tab", "text");
  await tab.keyboard.type("ping");
  await press("Tab", "Send");
  await tab.keyboard.press("Enter");
  await tab.getByRole("listitem").filter({ hasText: "pong" }).waitFor();
  await press("Shift+Tab", "text");
  await press("Shift+Tab", "Skip to the messages");
  await press("Enter", "messages");
  await press("Tab", "filter");
  await tab.keyboard.type("outside");
  await press("Tab", "pause");
  await press("Tab", "hex");
  const hex = tab.locator("tr:not([hidden]) .hex");
  await tab.keyboard.press("Enter");
  assertEquals(await hex.isVisible(), true);
  await tab.keyboard.press("Enter");
  assertEquals(await hex.isVisible(), false);
});

browserTest(
  "a token in the URL opens the page, and then it is not needed again",
  async (open) => {
    const listen = "0.0.0.0:0";
    await using collector = new Collector({ listen, token: "a long secret" });
    const url = collector.page.url.replace("0.0.0.0", "127.0.0.1");
    const tab = await open(`${url}?token=a+long+secret`);
    assertEquals(tab.url(), url);
    await using peer = await collector.peer();
    await peer.send("secret");
    await waitForRows(await open(url), 1);
  },
);
