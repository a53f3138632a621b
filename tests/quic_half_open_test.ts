import { assert, assertEquals } from "@std/assert";
import { connect } from "../mod.ts";
import { SOON, turn } from "./support/helpers.ts";
import { initials } from "./support/quic_initials.ts";
import { quicClient, quicServer, until } from "./support/quics.ts";

const CALLERS = 10_000;
// Few enough for the system's buffer.
const AT_ONCE = 20;

Deno.test("10,000 handshakes that never continue are bounded, counted and ended", async () => {
  const maxHandshakes = 64;
  const { server, source } = quicServer({ maxHandshakes, handshakeMs: 2000 });
  await using _ = server;
  await using client = await connect(server.addr, { carrier: quicClient() });
  const packets = await initials();
  const to = { ...server.addr, scheme: undefined };
  const seen = () => {
    const { handshakes, refused } = source.stats;
    assert(handshakes <= maxHandshakes, `${handshakes} at a time`);
    return handshakes + Object.values(refused).reduce((sum, n) => sum + n);
  };
  for (let sent = 0; sent < CALLERS; sent += AT_ONCE) {
    for (let n = 0; n < AT_ONCE; n++) {
      // Ten thousand clients, from as many ports and hundreds of addresses.
      const hostname = `127.0.${1 + (sent % 250)}.${1 + n}`;
      const caller = Deno.listenDatagram({
        transport: "udp",
        hostname,
        port: 0,
      });
      await caller.send(packets.next(), to);
      caller.close();
    }
    await until(() => seen() >= sent + AT_ONCE);
    if (sent % 1000 === 0) {
      await client.send("meanwhile");
      assertEquals((await server.receive(SOON)).text(), "meanwhile");
    }
    await turn();
  }
  assertEquals(seen(), CALLERS);
  const { refused, admitted } = source.stats;
  assert(refused.busy > 0);
  assertEquals(admitted, 1);
  await until(() => source.stats.handshakes === 0);
  assertEquals(source.stats.refused.busy + source.stats.refused.slow, CALLERS);
  await using late = await connect(server.addr, { carrier: quicClient() });
  await late.send("served");
  assertEquals((await server.receive(SOON)).text(), "served");
});

Deno.test("handshakes begin one at a time: the event loop turns after each", async () => {
  const { server, source } = quicServer({ handshakeMs: 60_000 });
  await using _ = server;
  const packets = await initials();
  const waiting = Array.from({ length: AT_ONCE }, () => packets.next());
  const caller = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  const to = { ...server.addr, scheme: undefined };
  await Promise.all(waiting.map((packet) => caller.send(packet, to)));
  caller.close();
  const deadline = performance.now() + SOON.timeoutMs;
  let most = 0;
  for (let before = 0; before < waiting.length;) {
    assert(performance.now() < deadline, `${before} have begun`);
    await new Promise((resolve) => void setImmediate(resolve));
    const { handshakes } = source.stats;
    most = Math.max(most, handshakes - before);
    before = handshakes;
  }
  assert(most <= 2, `${most} in one turn`);
});
