/**
 * Ncat. It reads 8,192 bytes of its input, or of what it executes, at a time and
 * cannot send more in one message; it shows any. It can send no empty message,
 * and shows nothing of one.
 */
import { assertEquals } from "@std/assert";
import {
  assertSameBytes,
  BONJOUR,
  clientHears,
  clientSends,
  EMPTY,
  LONGEST,
  MESSAGES,
  serverEchoes,
  serverReceives,
  sized,
  sizesAtServer,
  SMALL,
} from "./support/exchanges.ts";
import { Peer, runPeer, testsWhere } from "./support/peers.ts";

const test = await testsWhere("command -v ncat", "ncat");

const MOST = sized(8192);

function send(port: string, bytes: Uint8Array): Promise<Uint8Array> {
  const args = ["-u", "-n", "--send-only", "127.0.0.1", port];
  return runPeer("ncat", args, bytes);
}

async function listen(...options: string[]) {
  const args = ["-u", "-n", "-l", "-v", ...options, "127.0.0.1", "0"];
  const peer = new Peer("ncat", args);
  // What it says is "127.0.0.1:0".
  return Object.assign(peer, { address: await peer.bound() });
}

for (const message of [...SMALL, MOST]) {
  const { name, bytes } = message;

  test(`Ncat reaches the server: ${name}`, () =>
    serverReceives(message, (port) => send(port, bytes)));

  test(`Ncat gets the server's echo: ${name}`, () =>
    serverEchoes(message, async (port) => {
      await using peer = new Peer("ncat", ["-u", "-n", "127.0.0.1", port]);
      await peer.type(bytes);
      return await peer.shown(bytes.length);
    }));

  test(`what is typed into Ncat reaches the client that waits: ${name}`, async () => {
    await using peer = await listen();
    await Promise.all([
      peer.answer(BONJOUR.bytes.length, bytes),
      clientHears(BONJOUR, message, peer.address),
    ]);
  });

  test(`what Ncat executes reaches the client that waits: ${name}`, async () => {
    await using peer = await listen("--exec", "/bin/cat");
    await clientHears(message, message, peer.address);
  });
}

for (const message of MESSAGES) {
  test(`Ncat gets what the client sends: ${message.name}`, async () => {
    await using peer = await listen();
    await clientSends(message, peer.address);
    assertSameBytes(await peer.shown(message.bytes.length), message.bytes);
  });
}

test("65,507 bytes from Ncat are eight messages at the server", async () => {
  const sizes = await sizesAtServer(8, (port) => send(port, LONGEST.bytes));
  assertEquals(sizes, [...Array(7).fill(8192), 8163]);
});

test("the client's empty message reaches Ncat", async () => {
  await using peer = await listen();
  await clientSends(EMPTY, peer.address);
  await peer.said(/^Ncat: Connection from 127\.0\.0\.1/m);
});
