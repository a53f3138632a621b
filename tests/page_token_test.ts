import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  OPEN,
  openPage,
  status,
  TOKEN,
  withOpenPage,
  withPage,
} from "./support/pages.ts";

Deno.test("beyond loopback only /health works without the token", () =>
  withOpenPage(async (_, url) => {
    for (
      const path of [
        "/",
        "/page.js",
        "/messages",
        "/events",
        "/metrics",
        "/?token=",
        "/?token=wrong",
        `/messages?token=${encodeURIComponent(TOKEN)}`,
        "/nothing",
      ]
    ) {
      const response = await fetch(new URL(path, url));
      assertEquals(response.status, 401);
      assertEquals(response.headers.get("www-authenticate"), "Bearer");
      await response.body?.cancel();
    }
    const health = await fetch(new URL("/health", url));
    assertEquals(await health.text(), "ok\n");
  }));

Deno.test("the token in a header opens everything, under any name of the host", () =>
  withOpenPage(async (page, url) => {
    const headers = { Authorization: `Bearer ${TOKEN}` };
    for (const path of ["/", "/messages", "/metrics"]) {
      const response = await fetch(new URL(path, url), { headers });
      assertEquals(response.status, 200);
      await response.body?.cancel();
    }
    const named = ["Host: any.example", `Authorization: Bearer ${TOKEN}`];
    assertEquals(await status(page, "GET /stats", named), 200);
    const wrong = ["Host: any.example", "Authorization: Bearer a long"];
    assertEquals(await status(page, "GET /stats", wrong), 401);
  }));

Deno.test("the token in the URL sets a cookie that is not the token", () =>
  withOpenPage(async (_, url) => {
    const first = await fetch(`${url}?token=${encodeURIComponent(TOKEN)}`, {
      redirect: "manual",
    });
    assertEquals(first.status, 303);
    await first.body?.cancel();
    assertEquals(first.headers.get("location"), "./");
    const [cookie = "", ...attributes] = (first.headers.get("set-cookie") ?? "")
      .split("; ");
    assertEquals(attributes, ["Path=/", "HttpOnly", "SameSite=Strict"]);
    assert(!cookie.includes("secret"));
    for (
      const [value, status] of [
        [`other=1; ${cookie}`, 200],
        [`${cookie}0`, 401],
        [cookie.replace("=", "x="), 401],
        [cookie.replace(/=.*/, ""), 401],
      ] as const
    ) {
      const headers = { Cookie: value };
      const response = await fetch(url, { headers });
      assertEquals(response.status, status);
      await response.body?.cancel();
    }
  }));

Deno.test("a cookie stays valid after a restart with the same token", async () => {
  const first = openPage(OPEN);
  const { port } = new URL(first.url);
  const at = `http://127.0.0.1:${port}/`;
  const { headers, body } = await fetch(
    `${at}?token=${encodeURIComponent(TOKEN)}`,
    { redirect: "manual" },
  );
  await body?.cancel();
  await first.close();
  await withPage(async () => {
    const [Cookie = ""] = (headers.get("set-cookie") ?? "").split("; ");
    const response = await fetch(at, { headers: { Cookie } });
    assertEquals(response.status, 200);
    await response.body?.cancel();
  }, { ...OPEN, listen: `0.0.0.0:${port}` });
});

Deno.test("a token is required on loopback, too, if there is one", () =>
  withPage(async ({ url }) => {
    const response = await fetch(url);
    assertEquals(response.status, 401);
    await response.body?.cancel();
  }, { token: TOKEN }));

const ODD = "a+b&c%d/e=";

Deno.test("a token in the URL opens the page as it is, and encoded in any way", () =>
  withPage(async ({ url }) => {
    for (
      const [token, expected] of [
        [ODD, 303],
        [encodeURIComponent(ODD), 303],
        [new URLSearchParams([["", ODD]]).toString().slice(1), 303],
        ["a+b", 401],
        ["a%20b&c%d/e=", 401],
        ["%", 401],
        [`${ODD}&x=1`, 401],
      ] as const
    ) {
      const response = await fetch(`${url}?token=${token}`, {
        redirect: "manual",
      });
      assertEquals(response.status, expected, token);
      await response.body?.cancel();
    }
  }, { token: ODD }));

/** Sends the form for the token as a browser does. */
function enter(
  url: string,
  token: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, {
    method: "POST",
    redirect: "manual",
    headers,
    body: new URLSearchParams({ token }),
  });
}

Deno.test("a browser without the token gets a form for it, and a program one line", () =>
  withPage(async ({ url }) => {
    const headers = { Accept: "text/html,*/*;q=0.8" };
    const form = await fetch(url, { headers });
    assertEquals(form.status, 401);
    assertEquals(form.headers.get("www-authenticate"), "Bearer");
    const policy = form.headers.get("content-security-policy") ?? "";
    assert(policy.includes("form-action 'self'"), policy);
    // With "no-referrer" the origin of the form would be "null".
    assertEquals(form.headers.get("referrer-policy"), "same-origin");
    const html = await form.text();
    assertMatch(html, /<form method="post" action="\.\/">/);
    assert(!html.includes(TOKEN));
    for (const path of ["stats", "page.js"]) {
      const response = await fetch(new URL(path, url), { headers });
      assertEquals(response.status, 401);
      assertMatch(await response.text(), /^\{"error":".*"\}\n$/);
    }
    const response = await fetch(url);
    assertEquals(response.status, 401);
    assertMatch(await response.text(), /^\{"error":".*"\}\n$/);
  }, { token: TOKEN }));

Deno.test("the token that is entered in the form sets the cookie, a wrong one asks again", () =>
  withPage(async ({ url }) => {
    const right = await enter(url, TOKEN);
    assertEquals(right.status, 303);
    assertEquals(right.headers.get("location"), "./");
    await right.body?.cancel();
    const [Cookie = ""] = (right.headers.get("set-cookie") ?? "").split("; ");
    const opened = await fetch(url, { headers: { Cookie } });
    assertEquals(opened.status, 200);
    await opened.body?.cancel();
    const wrong = await enter(url, "wrong");
    assertEquals(wrong.status, 401);
    assertEquals(wrong.headers.get("set-cookie"), null);
    assertMatch(await wrong.text(), /not the token.*<form/s);
    const other = await enter(url, TOKEN, { "Sec-Fetch-Site": "cross-site" });
    assertEquals(other.status, 403);
    await other.body?.cancel();
    const long = await enter(url, "x".repeat(1_000_000));
    assertEquals(long.status, 413);
    await long.body?.cancel();
  }, { token: TOKEN }));

Deno.test("the page's URL can be opened, also if it listens on all addresses", async () => {
  for (const listen of ["0.0.0.0:0", "[::]:0", "localhost:0", "[::1]:0"]) {
    await withPage(async ({ url }) => {
      const response = await fetch(new URL("health", url));
      assertEquals([response.status, await response.text()], [200, "ok\n"]);
      const { hostname } = new URL(url);
      assert(["127.0.0.1", "[::1]", "localhost"].includes(hostname), hostname);
    }, { ...OPEN, listen });
  }
});
