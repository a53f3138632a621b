import { assertEquals } from "@std/assert";
import { random, turn } from "./support/helpers.ts";
import {
  EventReader,
  hostOf,
  message,
  messagesFrom,
  withPage,
} from "./support/pages.ts";

const SEEDS = [1, 2, 3, 4];
const CONNECTIONS = 150;
const MAX_BYTES = 60_000;

/** Requests of all kinds, and what is none. */
function requests(host: string): string[] {
  const to = (line: string, ...headers: string[]) =>
    [line, `Host: ${host}`, ...headers, "", ""].join("\r\n");
  return [
    to("GET / HTTP/1.1"),
    to("GET /messages HTTP/1.1", "Content-Length: 10") + "half",
    to("GET /events HTTP/1.1"),
    to("GET /events HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade"),
    to(`GET /events?last=${"a".repeat(5000)} HTTP/1.1`),
    to("GET /stats HTTP/1.0"),
    to("GET http://evil.example/stats HTTP/1.1"),
    to("GET //evil.example/stats HTTP/1.1"),
    to("GET /%ff%00 HTTP/1.1"),
    to("GET /messages?after=%zz HTTP/1.1"),
    to("HEAD /events HTTP/1.1"),
    to("OPTIONS * HTTP/1.1"),
    to("CONNECT x:1 HTTP/1.1"),
    to("TRACE / HTTP/1.1"),
    to("POST /send HTTP/1.1", "Expect: nonsense", "Content-Length: 1") + "a",
    to("POST /send HTTP/1.1", "Content-Length: 5", "Content-Length: 6"),
    to(
      "POST /send HTTP/1.1",
      "Content-Type: application/json",
      "Transfer-Encoding: chunked",
    ) + '5\r\n{"tex\r\nZZ\r\n',
    to("GET / HTTP/1.1", `X: ${"y".repeat(20_000)}`),
    "GET / HTTP/2.0\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "GET / HTTP/1.1\nHost: x\n\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01",
    "\r\n\r\n",
  ];
}

/** Some requests in a row, of which bytes may be changed or missing. */
function junk(below: (limit: number) => number, host: string): Uint8Array {
  const all = requests(host);
  const count = [1, 1, 2, 30][below(4)]!;
  const text = Array.from({ length: count }, () => all[below(all.length)])
    .join("");
  const bytes = new TextEncoder().encode(text).subarray(0, MAX_BYTES);
  for (let i = below(2) * 3; i > 0; i--) {
    bytes[below(bytes.length)] = below(256);
  }
  return below(3) === 0 ? bytes.subarray(0, below(bytes.length)) : bytes;
}

for (const seed of SEEDS) {
  Deno.test(`a page outlives ${CONNECTIONS} connections of junk (seed ${seed}), and frees what they took`, () =>
    withPage(async (page) => {
      const below = random(seed);
      const { hostname, port } = new URL(page.url);
      page.write(messagesFrom(1, 500));
      for (let i = 0; i < CONNECTIONS; i++) {
        const conn = await Deno.connect({ hostname, port: Number(port) });
        // The page may close it at any time.
        await conn.write(junk(below, hostOf(page))).catch(() => {});
        if (below(3) === 0) await conn.closeWrite().catch(() => {});
        if (below(2) === 0) {
          await Promise.race([
            conn.read(new Uint8Array(10_000)).catch(() => {}),
            turn(),
          ]);
        }
        conn.close();
      }
      while (page.stats["clients"] !== 0) await turn();
      const path = new URL("/stats", page.url);
      let response = await fetch(path);
      while (response.status === 503) {
        await response.body?.cancel();
        response = await fetch(path);
      }
      assertEquals(response.status, 200);
      await response.body?.cancel();
      await using reader = await EventReader.open(page);
      await reader.until(500);
      page.write([message(501)]);
      await reader.until(501);
    }));
}
