/**
 * OpenBSD's netcat. It reads 16,384 bytes at a time, from its input as from the
 * network: it cannot send more in one message, and shows no more of one. It can
 * send no empty message, and takes one for the end. With -v it sends a few "X"
 * of its own before anything else.
 */
import { assertEquals } from "@std/assert";
import {
  assertSameBytes,
  BONJOUR,
  clientHears,
  clientSends,
  EMPTY,
  LONGEST,
  serverEchoes,
  serverReceives,
  sized,
  sizesAtServer,
  SMALL,
} from "./support/exchanges.ts";
import { Peer, runPeer, testsWhere } from "./support/peers.ts";

const test = await testsWhere("command -v nc.openbsd", "netcat-openbsd");

const MOST = sized(16_384);

function send(port: string, bytes: Uint8Array): Promise<Uint8Array> {
  const args = ["-u", "-n", "-q", "0", "127.0.0.1", port];
  return runPeer("nc.openbsd", args, bytes);
}

async function listen(...options: string[]) {
  const args = ["-u", "-n", "-l", "-v", ...options, "127.0.0.1", "0"];
  const peer = new Peer("nc.openbsd", args);
  const [, port] = await peer.said(/^Bound on 127\.0\.0\.1 (\d+)\n/);
  return Object.assign(peer, { address: `udp://127.0.0.1:${port}` });
}

for (const message of [...SMALL, sized(9000), MOST]) {
  const { name, bytes } = message;

  test(`nc reaches the server: ${name}`, () =>
    serverReceives(message, (port) => send(port, bytes)));

  test(`nc gets what the client sends: ${name}`, async () => {
    await using peer = await listen("-W", "1");
    await clientSends(message, peer.address);
    const ended = await peer.ended();
    assertEquals(ended.code, 0, ended.stderr);
    assertSameBytes(ended.bytes, bytes);
  });

  test(`nc gets the server's echo: ${name}`, () =>
    serverEchoes(message, async (port) => {
      const args = ["-u", "-n", "-W", "1", "127.0.0.1", port];
      await using peer = new Peer("nc.openbsd", args);
      await peer.type(bytes);
      return await peer.shown(bytes.length);
    }));

  test(`what is typed into nc reaches the client that waits: ${name}`, async () => {
    await using peer = await listen();
    await Promise.all([
      peer.answer(BONJOUR.bytes.length, bytes),
      clientHears(BONJOUR, message, peer.address),
    ]);
  });
}

test("65,507 bytes from nc are four messages at the server", async () => {
  const sizes = await sizesAtServer(4, (port) => send(port, LONGEST.bytes));
  assertEquals(sizes, [16_384, 16_384, 16_384, 16_355]);
});

test("nc shows the first 16,384 of the 65,507 bytes that the client sends", async () => {
  await using peer = await listen("-W", "1");
  await clientSends(LONGEST, peer.address);
  assertSameBytes(
    (await peer.ended()).bytes,
    LONGEST.bytes.subarray(0, 16_384),
  );
});

test("the client's empty message is the end for nc", async () => {
  await using peer = await listen();
  await clientSends(EMPTY, peer.address);
  const { code, bytes, stderr } = await peer.ended();
  assertEquals([code, bytes.length], [0, 0], stderr);
});
