import { assertEquals, assertRejects } from "@std/assert";
import { bind, type DialOptions } from "../mod.ts";

import { quic } from "../lib/carriers/quic.ts";
import { tcp } from "../lib/carriers/tcp.ts";
import { tls } from "../lib/carriers/tls.ts";
import { udp } from "../lib/carriers/udp.ts";

/** Dials as `connect` does, with the second argument that it may pass. */
type Dial = (address: Deno.NetAddr, options: DialOptions) => Promise<unknown>;

const hostname = "127.0.0.1";
const reason = new Error("enough");

Deno.test("tls: a signal that aborts ends a handshake", async () => {
  const listener = Deno.listen({ hostname, port: 0 });
  const dial = tls({}).dial as Dial;
  const abort = new AbortController();
  const address = { transport: "tcp", hostname, port: listener.addr.port };
  const dialed = dial(address as Deno.NetAddr, abort);
  using conn = await listener.accept();
  listener.close();
  await conn.read(new Uint8Array(1));
  abort.abort(reason);
  assertEquals(await assertRejects(() => dialed, Error), reason);
});

Deno.test("quic: a signal that aborts ends a handshake, and the next one works", async () => {
  await using silent = bind("udp://127.0.0.1:0");
  const dial = quic().dial as Dial;
  for (let n = 0; n < 2; n++) {
    const abort = new AbortController();
    const dialed = dial({ ...silent.addr, transport: "udp" }, abort);
    await silent.receive();
    abort.abort(reason);
    assertEquals(await assertRejects(() => dialed, Error), reason);
  }
});

for (const source of [tcp(), tls({}), quic(), udp()]) {
  Deno.test(`${source.schemes}: a signal that has aborted opens nothing`, async () => {
    const dial = source.dial as Dial;
    const signal = AbortSignal.abort(reason);
    const address: Deno.NetAddr = { transport: "tcp", hostname, port: 9 };
    assertEquals(
      await assertRejects(() => dial(address, { signal }), Error),
      reason,
    );
  });
}
