import { assertEquals } from "@std/assert";
import {
  connect,
  type ConnectedSocket,
  type DatagramSocket,
} from "../../mod.ts";
import { type Relay, startRelay } from "../../lib/testing/mod.ts";
import type { QuicOptions } from "../../lib/carriers/quic.ts";
import { pattern, random } from "../helpers.ts";
import { quicClient, quicServer } from "../quics.ts";

const FAULTS = { loss: 0.2, reorder: 0.05, corrupt: 0.01 };

/** Runs a test with a relay between a client and a server. */
async function throughRelay(
  options: QuicOptions,
  test: (ends: {
    server: DatagramSocket;
    client: ConnectedSocket;
    relay: Relay;
  }) => Promise<void>,
): Promise<void> {
  const patient = { handshakeMs: 60_000, idleMs: 120_000, ...options };
  const { server } = quicServer(patient);
  await using _ = server;
  const to = { ...server.addr, scheme: undefined };
  await using relay = startRelay({
    listen: "udp://127.0.0.1:0",
    to,
    ...FAULTS,
  });
  await using client = await connect(`quic://127.0.0.1:${relay.addr.port}`, {
    carrier: quicClient(patient),
  });
  await test({ server, client, relay });
}

Deno.test("10,000 reliable messages of 1 to 20,000 bytes all come through a relay that loses a fifth, to the byte, once, in order", async () => {
  await throughRelay({ reliable: true }, async ({ server, client, relay }) => {
    const size = random(7);
    const messages = Array.from(
      { length: 10_000 },
      () => pattern(1 + size(20_000)),
    );
    const sending = (async () => {
      for (const message of messages) await client.send(message);
    })();
    const t = performance.now();
    for (const message of messages) {
      const { data, truncated } = await server.receive();
      assertEquals(truncated, false);
      assertEquals(data, message);
    }
    await sending;
    console.log((performance.now() - t) / 1000, relay.stats.up);
    await client[Symbol.asyncDispose]();
    assertEquals(await server.tryReceive(), undefined);
    assertEquals(client.stats.dropped.unconfirmed, 0);
  });
});
