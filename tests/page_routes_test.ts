import { assert, assertEquals, assertMatch } from "@std/assert";
import { ASSETS } from "../lib/sinks/page/assets.ts";
import { escapeControls as onThePage } from "../lib/sinks/page/assets/text.js";
import { Datagram, escapeControls, MessageTooLargeError } from "../mod.ts";
import { bytesOf, PEER } from "./support/helpers.ts";
import {
  FakeStore,
  message,
  messagesFrom,
  range,
  STATS,
  withPage,
} from "./support/pages.ts";

/** Sends a message as the form does. */
function post(url: string, text: string): Promise<Response> {
  return fetch(new URL("/send", url), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ text }),
  });
}

async function jsonAt(url: string, path: string) {
  const response = await fetch(new URL(path, url));
  return { status: response.status, body: await response.json() };
}

Deno.test("messages above a number are returned, with all bytes as text or base64", () =>
  withPage(async (page) => {
    page.write([message(1, "é\u202e\n"), message(2, new Uint8Array([255, 0]))]);
    page.write(messagesFrom(3, 200));
    const { body } = await jsonAt(page.url, "/messages");
    assertEquals(body.length, 100);
    assertEquals(body[0], {
      id: 1,
      time: "2026-11-23T09:30:00.001Z",
      from: "udp://127.0.0.1:40000",
      size: 6,
      truncated: false,
      text: "é\u202e\n",
    });
    assertEquals([body[1].base64, body[1].text], ["/wA=", undefined]);
    const some = await jsonAt(page.url, "/messages?after=150&limit=20");
    assertEquals(
      some.body.map(({ id }: { id: number }) => id),
      range(151, 170),
    );
    assertEquals((await jsonAt(page.url, "/messages?after=999")).body, []);
  }));

Deno.test("messages are read from the given log", () => {
  const log = new FakeStore();
  log.messages.push(...messagesFrom(1, 300));
  return withPage(async ({ url }) => {
    const { body } = await jsonAt(url, "/messages?limit=1000");
    assertEquals(body.length, 300);
  }, { log });
});

Deno.test("a response has at most 640 KiB of data, or one message", () =>
  withPage(async (page) => {
    const big = new Uint8Array(60_000);
    page.write(Array.from({ length: 30 }, (_, i) => message(i + 1, big)));
    const { body } = await jsonAt(page.url, "/messages?limit=1000");
    assertEquals(body.length, 10);
  }));

Deno.test("nothing in JSON reaches a terminal unescaped", () =>
  withPage(async (page) => {
    page.write([message(1, "\x1b[2J\u202e\x7f")]);
    const text = await (await fetch(new URL("/messages", page.url))).text();
    assertMatch(text, /^[\x20-\x7e]+\n$/);
  }));

Deno.test("invalid parameters are refused in one line", () =>
  withPage(async ({ url }) => {
    for (
      const query of [
        "after=x",
        "after=-1",
        "after=1.5",
        "after=",
        "limit=0",
        "limit=1001",
        "limit=ten",
      ]
    ) {
      const response = await fetch(new URL(`/messages?${query}`, url));
      assertEquals(response.status, 400);
      assertMatch(
        await response.text(),
        /^\{"error":"(after|limit) must.*"\}\n$/,
      );
    }
  }));

Deno.test("the stats are the collector's", () =>
  withPage(async ({ url }) => {
    assertEquals((await jsonAt(url, "/stats")).body, STATS);
  }));

Deno.test("stats that fail are an error in one line", () =>
  withPage(async ({ url }) => {
    const { status, body } = await jsonAt(url, "/stats");
    assertEquals([status, body.error], [500, "not\\nnow"]);
  }, { stats: () => Promise.reject(new Error("not\nnow")) }));

Deno.test("health is ok", () =>
  withPage(async ({ url }) => {
    const response = await fetch(new URL("/health", url));
    assertEquals([response.status, await response.text()], [200, "ok\n"]);
  }));

Deno.test("a message from the form is sent, and its reply returned", () => {
  const sent: string[] = [];
  return withPage(async ({ url }) => {
    const response = await post(url, "ping\n");
    assertEquals(await response.json(), {
      answer: {
        from: "udp://127.0.0.1:40000",
        size: 4,
        truncated: false,
        text: "pong",
      },
    });
    assertEquals(sent, ["ping\n"]);
  }, {
    send: (text) => {
      sent.push(text);
      return Promise.resolve(new Datagram(bytesOf("pong"), PEER));
    },
  });
});

Deno.test("without a reply the answer is null", () =>
  withPage(async ({ url }) => {
    assertEquals(await (await post(url, "ping")).json(), { answer: null });
  }));

Deno.test("a message that cannot be sent is an error with the reason", async () => {
  for (
    const [error, status] of [
      [new MessageTooLargeError("too long"), 413],
      [new Deno.errors.ConnectionRefused("refused"), 502],
    ] as const
  ) {
    await withPage(async ({ url }) => {
      const response = await post(url, "ping");
      assertEquals(response.status, status);
      assertEquals(await response.json(), { error: error.message });
    }, { send: () => Promise.reject(error) });
  }
});

Deno.test("a body without a message is refused, and nothing is sent", () =>
  withPage(async ({ url }) => {
    const bodies: [string, string, number][] = [
      ["text/plain", '{"text":"a"}', 415],
      ["application/x-www-form-urlencoded", "text=a", 415],
      ["application/json", "", 400],
      ["application/json", "{", 400],
      ["application/json", "null", 400],
      ["application/json", '{"text":1}', 400],
      ["application/json", JSON.stringify({ text: "x".repeat(500_000) }), 413],
    ];
    for (const [type, body, status] of bodies) {
      const response = await fetch(new URL("/send", url), {
        method: "POST",
        headers: { "Content-Type": type },
        body,
      });
      assertEquals(response.status, status, body.slice(0, 20));
      assert((await response.json()).error.length > 0);
    }
  }, {
    send: () => {
      throw new Error("it was sent");
    },
  }));

Deno.test("the largest message fits, however JSON escapes it", () =>
  withPage(async ({ url }) => {
    const response = await post(url, "\u0001".repeat(65_507));
    assertEquals(response.status, 200);
    await response.body?.cancel();
  }));

Deno.test("an unknown path is 404, a wrong method 405 with the allowed ones", () =>
  withPage(async ({ url }) => {
    const missing = await fetch(new URL("/nothing", url));
    assertEquals(missing.status, 404);
    await missing.body?.cancel();
    for (
      const [method, path, allow] of [
        ["POST", "/", "GET, HEAD"],
        ["DELETE", "/messages", "GET, HEAD"],
        ["OPTIONS", "/send", "POST"],
        ["GET", "/send", "POST"],
      ] as const
    ) {
      const response = await fetch(new URL(path, url), { method });
      assertEquals(response.status, 405);
      assertEquals(response.headers.get("allow"), allow);
      await response.body?.cancel();
    }
  }));

Deno.test("HEAD is GET without the body", () =>
  withPage(async (page) => {
    for (const path of ["/", "/style.css", "/stats", "/metrics", "/events"]) {
      const url = new URL(path, page.url);
      const response = await fetch(url, { method: "HEAD" });
      assertEquals([response.status, await response.text()], [200, ""]);
    }
    assertEquals(page.stats["clients"], 0);
  }));

Deno.test("each file that the page refers to exists, with its type", () =>
  withPage(async ({ url }) => {
    const html = await (await fetch(url)).text();
    const named = Array.from(
      html.matchAll(/(?:src|href)="(\w[^":]+)"/g),
      ([, path = ""]) => path,
    );
    assertEquals(named.length, 6);
    const imported = Array.from(ASSETS).flatMap(([path, { text }]) =>
      path.startsWith("/uplot") ? [] : Array.from(
        text.matchAll(/^import .*"\.\/([^"]+)";$/gm),
        ([, path = ""]) => path,
      )
    );
    assert(imported.length > 5);
    for (const path of [...named, ...imported]) {
      const response = await fetch(new URL(path, url));
      assertEquals(response.status, 200);
      assertMatch(
        response.headers.get("content-type") ?? "",
        path.endsWith(".css") ? /^text\/css;/ : /^text\/javascript;/,
      );
      await response.body?.cancel();
    }
  }));

Deno.test("the page refers to everything relative to itself, so that it can be below a path", () => {
  for (const [path, { text }] of ASSETS) {
    if (path.startsWith("/uplot")) continue;
    const absolute = text.match(
      /(?:fetch\(|EventSource\(|Worker\(|src=|href=|from )["'`]\//,
    );
    assertEquals(absolute, null, path);
  }
});

Deno.test("a proxy is told not to buffer events", () =>
  withPage(async ({ url }) => {
    const response = await fetch(new URL("/events", url));
    assertEquals(response.headers.get("x-accel-buffering"), "no");
    assertMatch(response.headers.get("cache-control") ?? "", /no-transform/);
    await response.body?.cancel();
  }));

Deno.test("the page escapes control characters as the library does", () => {
  const all = String.fromCharCode(
    ...range(0, 0x2ff),
    ...range(0x600, 0x6ff),
    ...range(0x2000, 0x20ff),
    0xfeff,
  );
  assertEquals(onThePage(all), escapeControls(all));
});
