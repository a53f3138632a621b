import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import type { Page } from "../lib/sinks/page.ts";
import { InvalidAddressError } from "../mod.ts";
import {
  hostOf,
  openPage,
  status,
  TOKEN,
  withOpenPage,
  withPage,
} from "./support/pages.ts";

/** Returns the status of a message that is sent with these headers. */
function sendStatus(
  page: Page,
  headers: readonly string[],
  host = hostOf(page),
): Promise<number> {
  const body = '{"text":"a"}';
  return status(page, "POST /send", [
    `Host: ${host}`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
    ...headers,
  ], body);
}

Deno.test("on loopback the page responds only to its own names", () =>
  withPage(async (page) => {
    const { port } = new URL(page.url);
    for (const name of ["127.0.0.1", "localhost", "[::1]", "LOCALHOST"]) {
      assertEquals(await status(page, "GET /", [`Host: ${name}:${port}`]), 200);
    }
    for (
      const host of [
        `evil.example:${port}`,
        "127.0.0.1",
        "127.0.0.1:1",
        `127.0.0.1.evil.example:${port}`,
        "",
      ]
    ) {
      for (const path of ["/", "/messages", "/events", "/health"]) {
        assertEquals(await status(page, `GET ${path}`, [`Host: ${host}`]), 403);
      }
    }
    assertEquals(await status(page, "GET /", ["X: no host"]), 403);
  }));

Deno.test("each response forbids everything that the page does not need", () =>
  withPage(async ({ url }) => {
    for (const path of ["/", "/page.js", "/messages", "/nothing", "/health"]) {
      const { headers, body } = await fetch(new URL(path, url));
      const policy = headers.get("content-security-policy") ?? "";
      assert(policy.startsWith("default-src 'none'; script-src 'self'; "));
      assert(!policy.includes("unsafe"));
      assertEquals(headers.get("x-frame-options"), "DENY");
      assertEquals(headers.get("x-content-type-options"), "nosniff");
      assertEquals(headers.get("referrer-policy"), "no-referrer");
      assertEquals(headers.get("cross-origin-resource-policy"), "same-origin");
      assertMatch(headers.get("cache-control") ?? "", /^no-store/);
      assertEquals(headers.get("access-control-allow-origin"), null);
      await body?.cancel();
    }
  }));

Deno.test("the page has no inline script or style", () =>
  withPage(async ({ url }) => {
    const html = await (await fetch(url)).text();
    assert(!/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/.test(html));
  }));

Deno.test("no other site can send a message", () =>
  withPage(async (page) => {
    const host = hostOf(page);
    for (
      const [headers, expected] of [
        [[], 200],
        [[`Origin: http://${host}`], 200],
        [[`Origin: http://${host}`, "Sec-Fetch-Site: same-origin"], 200],
        [["Origin: http://evil.example"], 403],
        [["Origin: null"], 403],
        [["Origin: http://127.0.0.1:1"], 403],
        [["Sec-Fetch-Site: cross-site"], 403],
        [["Sec-Fetch-Site: same-site"], 403],
        [[`Origin: http://${host}`, "Sec-Fetch-Site: cross-site"], 403],
      ] as const
    ) {
      assertEquals(await sendStatus(page, headers), expected, headers.join());
    }
  }));

const PUBLIC = { hosts: ["logs.example.org", "Bücher.example:8443"] };

Deno.test("behind a proxy the page responds to its public names, with its own Host or theirs", () =>
  withPage(async (page) => {
    const own = hostOf(page);
    for (
      const [host, expected] of [
        [own, 200],
        ["logs.example.org", 200],
        ["LOGS.example.org:443", 200],
        ["xn--bcher-kva.example:8443", 200],
        ["xn--bcher-kva.example", 403],
        ["xn--bcher-kva.example:1", 403],
        ["evil.example", 403],
        ["logs.example.org.evil.example", 403],
        ["evil.logs.example.org", 403],
        ["logs.example.org:", 403],
        ["logs.example.org:80@evil.example", 403],
      ] as const
    ) {
      const headers = [`Host: ${host}`];
      assertEquals(await status(page, "GET /", headers), expected, host);
    }
  }, PUBLIC));

Deno.test("behind a proxy the page's form works, and no other site can send", () =>
  withPage(async (page) => {
    const own = hostOf(page);
    for (const host of [own, "logs.example.org", "logs.example.org:8080"]) {
      for (
        const [origin, site, expected] of [
          ["https://logs.example.org", "same-origin", 200],
          ["https://logs.example.org:8080", "same-origin", 200],
          ["https://xn--bcher-kva.example:8443", "same-origin", 200],
          ["https://logs.example.org", "cross-site", 403],
          ["https://xn--bcher-kva.example", "same-origin", 403],
          ["https://evil.example", "same-origin", 403],
          ["https://evil.example/logs.example.org", "same-origin", 403],
          ["null", "same-origin", 403],
        ] as const
      ) {
        const result = await sendStatus(page, [
          `Origin: ${origin}`,
          `Sec-Fetch-Site: ${site}`,
        ], host);
        assertEquals(result, expected, `${host} ${origin} ${site}`);
      }
    }
  }, PUBLIC));

Deno.test("beyond loopback, too, the form works under a public name", () =>
  withOpenPage(async (page) => {
    const headers = [
      "Origin: https://logs.example.org",
      `Authorization: Bearer ${TOKEN}`,
    ];
    assertEquals(await sendStatus(page, headers, "10.0.0.1:62080"), 200);
  }, PUBLIC));

Deno.test("a public name is a host, perhaps with a port, and nothing else", () => {
  for (
    const host of [
      "",
      "https://logs.example.org",
      "logs.example.org/",
      "logs.example.org/pli",
      "user@logs.example.org",
      "logs.example.org?",
      "a b",
      "logs.example.org:99999",
      "*",
    ]
  ) {
    assertThrows(
      () => openPage({ hosts: [host] }),
      InvalidAddressError,
      'must be a NAME or NAME:PORT, as in "logs.example.org"',
    );
  }
});

Deno.test("another site may link to the page, and load nothing from it", () =>
  withPage(async (page) => {
    const headers = [`Host: ${hostOf(page)}`, "Sec-Fetch-Site: cross-site"];
    assertEquals(await status(page, "GET /", headers), 200);
    for (const path of ["/events", "/messages", "/stats", "/page.js"]) {
      assertEquals(await status(page, `GET ${path}`, headers), 403);
    }
  }));
