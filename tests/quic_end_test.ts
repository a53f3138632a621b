import { assertEquals } from "@std/assert";
import { clientHello } from "../lib/carriers/quic/hello.ts";
import { settingsOf } from "../lib/carriers/quic/settings.ts";
import { quicServer, rawConnection, sayFirst, until } from "./support/quics.ts";

const HELLO = clientHello(
  { reliable: true, largest: 60_000 },
  new Uint8Array(),
);

for (
  const [what, count] of [
    ["that the system has taken", 10],
    ["of which some still wait", 100],
  ] as const
) {
  Deno.test(`quic: a server that ends waits for a silent client to a limit, with messages ${what}`, async () => {
    const { server, source } = quicServer({ reliable: true, idleMs: 1000 });
    // Its QUIC library replies to every packet, so the connection stays alive.
    using conn = await rawConnection(server.addr.port);
    await sayFirst(conn, HELLO);
    await until(() => source.stats.peers === 1);
    const { hostname, port } = conn.endpoint.addr;
    const to = { transport: "udp", scheme: "quic", hostname, port } as const;
    let failed = 0;
    for (let n = 0; n < count; n++) {
      await server.send(new Uint8Array(30_000), to).catch(() => failed++);
    }
    await server[Symbol.asyncDispose]();
    const { sent, dropped } = server.stats;
    assertEquals([sent + failed, source.stats.peers], [count, 0]);
    assertEquals(dropped["unconfirmed"], sent);
  });
}

Deno.test("quic: a server that ends waits 10 s of silence at most, whatever its idleMs", () => {
  assertEquals(settingsOf({}).listenEndMs, 10_000);
  assertEquals(settingsOf({ idleMs: 2 ** 31 - 1 }).listenEndMs, 10_000);
  assertEquals(settingsOf({ idleMs: 200 }).listenEndMs, 200);
});
