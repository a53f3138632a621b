import { assertEquals } from "@std/assert";
import { connect } from "../mod.ts";
import { type RelayOptions, startRelay } from "../lib/testing/mod.ts";
import { SOON } from "./support/helpers.ts";
import { quicClient, quicServer } from "./support/quics.ts";

const MIB = 1024 * 1024;
const idleMs = 1000;

/** A server behind a link, and a client of it. */
async function throughLink(link: Partial<RelayOptions>) {
  const options = { reliable: true, maxMessage: 8 * MIB, idleMs };
  const { server } = quicServer(options, { maxSize: 8 * MIB });
  const to = { ...server.addr, scheme: undefined };
  const relay = startRelay({ listen: "udp://127.0.0.1:0", to, ...link });
  const address = `quic://127.0.0.1:${relay.addr.port}`;
  const client = await connect(address, { carrier: quicClient(options) });
  return {
    server,
    client,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

// Each takes several times idleMs: a limit on messages would end it.
Deno.test("a long reliable message arrives over a slow link, also if the client ends then", async () => {
  await using ends = await throughLink({ bandwidth: 8_000_000, queue: 60 });
  const { server, client } = ends;
  const message = new Uint8Array(3 * MIB).fill(7);
  await client.send(message);
  const ending = client[Symbol.asyncDispose]();
  assertEquals((await server.receive(SOON)).data.length, message.length);
  await ending;
  assertEquals(client.stats.dropped["unconfirmed"], 0);
});

Deno.test("a long reliable answer arrives over a slow link, also if the server ends then", async () => {
  await using ends = await throughLink({ bandwidth: 8_000_000, queue: 60 });
  const { server, client } = ends;
  await client.send("x");
  const { from } = await server.receive(SOON);
  await server.send(new Uint8Array(3 * MIB).fill(7), from);
  const ending = server[Symbol.asyncDispose]();
  assertEquals((await client.receive(SOON)).data.length, 3 * MIB);
  await ending;
  assertEquals(server.stats.dropped["unconfirmed"], 0);
  await client[Symbol.asyncDispose]();
});

Deno.test("many reliable messages arrive over a slow link, although the client has ended", async () => {
  await using ends = await throughLink({ bandwidth: 4_000_000, queue: 60 });
  const { server, client } = ends;
  const receiving = (async () => {
    let received = 0;
    for await (const { data } of server) {
      assertEquals(data.length, 1000);
      received++;
    }
    return received;
  })();
  const count = 2500;
  for (let n = 0; n < count; n++) await client.send(new Uint8Array(1000));
  await client[Symbol.asyncDispose]();
  assertEquals(client.stats.dropped["unconfirmed"], 0);
  await server[Symbol.asyncDispose]();
  assertEquals(await receiving, count);
});
