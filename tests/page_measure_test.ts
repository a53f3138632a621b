import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { MeasurePage } from "../lib/programs/measure/page.ts";
import { PageFeed } from "../lib/programs/measure/page_feed.ts";
import { intervalWith, resultWith } from "./support/measure_results.ts";

const TO = "udp://127.0.0.1:62862";

function openPage(token?: string): MeasurePage {
  return new MeasurePage(TO, { listen: "127.0.0.1:0", token });
}

/** The events in a text, with their data. */
function eventsIn(text: string): [name: string, data: unknown][] {
  return Array.from(
    text.matchAll(/^event: (\w+)\ndata: (.*)\n$/gm),
    ([, name = "", data = ""]) => [name, JSON.parse(data)],
  );
}

Deno.test("the page of a measurement gets what was before, what comes, and the result", async () => {
  const page = openPage();
  page.interval(intervalWith({ sent: 1 }));
  const response = await fetch(new URL("events", page.url));
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  page.interval(intervalWith({ sent: 2 }));
  const [text] = await Promise.all([
    response.text(),
    page.close(resultWith()),
  ]);
  assertEquals(eventsIn(text), [
    ["start", { to: TO }],
    ["interval", intervalWith({ sent: 1 })],
    ["interval", intervalWith({ sent: 2 })],
    ["result", resultWith()],
  ]);
});

Deno.test("each file that the page of a measurement names is served, with its headers", async () => {
  const page = openPage();
  const html = await (await fetch(page.url)).text();
  const names = Array.from(
    html.matchAll(/(?:src|href)="(?!data:)([^"]+)"/g),
    ([, name = ""]) => name,
  );
  assertEquals(names.length, 5);
  for (const name of ["", ...names, "nothing"]) {
    const { status, headers, body } = await fetch(new URL(name, page.url));
    await body?.cancel();
    assertEquals(status, name === "nothing" ? 404 : 200, name);
    assertMatch(headers.get("content-security-policy")!, /^default-src 'none'/);
    assertEquals(headers.get("x-frame-options"), "DENY");
  }
  await page.close(undefined);
});

Deno.test("the page of a measurement can only be read, and asks for its token", async () => {
  const page = openPage("s3cret");
  const get = async (init: RequestInit) => {
    const { status, body } = await fetch(new URL("events", page.url), init);
    await body?.cancel();
    return status;
  };
  const headers = { Authorization: "Bearer s3cret" };
  assertEquals(await get({}), 401);
  assertEquals(await get({ headers }), 200);
  assertEquals(await get({ headers, method: "HEAD" }), 200);
  assertEquals(await get({ headers, method: "POST" }), 405);
  await page.close(undefined);
  const beyond = { listen: "0.0.0.0:0" };
  assertThrows(() => new MeasurePage(TO, beyond), TypeError, "without a token");
});

Deno.test("a page that does not read is closed, and takes bounded memory", async () => {
  const feed = new PageFeed({});
  const deaf = feed.open()!;
  for (let n = 0; n < 10_000; n++) feed.send("interval", intervalWith());
  await deaf.pipeTo(new WritableStream()).then(
    () => assert(false, "it was not closed"),
    (error) => assertEquals(error.message, "the page does not read"),
  );
  // Another one gets the newest, and keeps up.
  const reading = new Response(feed.open()!).text();
  feed.close();
  assertEquals(eventsIn(await reading).length, 601);
  assertEquals(feed.open(), undefined);
});

Deno.test("no more than 64 pages of a measurement are open at once", () => {
  const feed = new PageFeed({});
  for (let n = 0; n < 64; n++) assert(feed.open() !== undefined);
  assertEquals(feed.open(), undefined);
  feed.close();
});
