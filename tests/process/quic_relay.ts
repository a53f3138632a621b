import { assert, assertEquals } from "@std/assert";
import {
  connect,
  type ConnectedSocket,
  type DatagramSocket,
} from "../../mod.ts";
import { type Relay, startRelay } from "../../lib/testing/mod.ts";
import type { QuicOptions, QuicSource } from "../../lib/carriers/quic.ts";
import { pattern, random } from "../support/helpers.ts";
import { quicClient, quicServer } from "../support/quics.ts";

const FAULTS = { loss: 0.2, reorder: 0.05, corrupt: 0.01 };
// QUIC slows down if a fifth is lost, each connection by itself.
const CLIENTS = 20;

/** Runs a test with a relay in front of a server. */
async function throughRelay(
  options: QuicOptions,
  test: (ends: {
    server: DatagramSocket;
    address: string;
    carrier: QuicSource;
    relay: Relay;
  }) => Promise<void>,
): Promise<void> {
  const patient = { handshakeMs: 60_000, idleMs: 120_000, ...options };
  const { server } = quicServer({ ...patient, maxHandshakes: 10 * CLIENTS });
  await using _ = server;
  const listen = "udp://127.0.0.1:0";
  const to = { ...server.addr, scheme: undefined };
  await using relay = startRelay({ listen, to, ...FAULTS });
  const address = `quic://127.0.0.1:${relay.addr.port}`;
  await test({ server, address, relay, carrier: quicClient(patient) });
}

/** Connects; a handshake may fail there, and is tried again. */
async function connected(
  address: string,
  carrier: QuicSource,
): Promise<ConnectedSocket> {
  for (let tries = 1;; tries++) {
    try {
      return await connect(address, { carrier });
    } catch (error) {
      if (tries === 20) throw error;
    }
  }
}

/** The messages of a client: first its number, then 1 to 20,000 bytes each. */
function messagesOf(client: number, count: number): Uint8Array[] {
  const size = random(client);
  const first = new Uint8Array([client]);
  const others = { length: count - 1 };
  return [first, ...Array.from(others, () => pattern(1 + size(20_000)))];
}

Deno.test("10,000 reliable messages arrive once and in order despite 20 % loss", async () => {
  await throughRelay({ reliable: true }, async (ends) => {
    const { server, address, carrier, relay } = ends;
    const total = 10_000;
    const sendAll = async (number: number) => {
      const client = await connected(address, carrier);
      for (const message of messagesOf(number, total / CLIENTS)) {
        await client.send(message);
      }
      await client[Symbol.asyncDispose]();
      assertEquals(client.stats.dropped["unconfirmed"], 0);
    };
    const sending = Promise.all(
      Array.from({ length: CLIENTS }, (_, number) => sendAll(number)),
    );
    const expected = new Map<number, Uint8Array[]>();
    const clients = new Set<number>();
    for (let n = 0; n < total; n++) {
      const { data, from, truncated } = await server.receive();
      let rest = expected.get(from.port) ?? [];
      // A client may have the port of one that is done.
      if (rest.length === 0) {
        clients.add(data[0]!);
        rest = messagesOf(data[0]!, total / CLIENTS);
        expected.set(from.port, rest);
      }
      assertEquals(data, rest.shift());
      assertEquals(truncated, false);
    }
    await sending;
    assertEquals(await server.tryReceive(), undefined);
    assertEquals(clients.size, CLIENTS);
    assert([...expected.values()].every((rest) => rest.length === 0));
    assert(relay.stats.up.lost > 0 && relay.stats.down.lost > 0);
  });
});

Deno.test("received and lost datagrams add up to those sent despite 20 % loss", async () => {
  await throughRelay({}, async (ends) => {
    const { server, address, carrier, relay } = ends;
    const total = 2000;
    let received = 0;
    const receiving = (async () => {
      for await (const { data } of server) {
        received++;
        assertEquals(data, pattern(1000));
      }
    })();
    const client = await connected(address, carrier);
    for (let n = 0; n < total; n++) await client.send(pattern(1000));
    await client[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await receiving;
    const { lost, queueFull, closed } = server.stats.dropped;
    assertEquals(received + queueFull! + closed! + lost!, total);
    assertEquals(client.stats.sent, total);
    assert(lost! > 0 && relay.stats.up.lost > 0);
  });
});
