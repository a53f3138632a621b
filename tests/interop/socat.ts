/**
 * socat, with -b 65507: by itself it reads 8,192 bytes at a time. Empty messages
 * need its options shut-null and null-eof, for the end of its input; it can send
 * no other and overlooks them without.
 */
import { assertEquals } from "@std/assert";
import {
  assertSameBytes,
  clientHears,
  clientSends,
  EMPTY,
  LONGEST,
  MESSAGES,
  serverEchoes,
  serverReceives,
  sizesAtServer,
} from "./support/exchanges.ts";
import { Peer, runPeer, testsWhere } from "./support/peers.ts";

const test = await testsWhere("command -v socat", "socat");

const BLOCK = ["-b", "65507"];

function toServer(port: string): string {
  return `UDP-SENDTO:127.0.0.1:${port}`;
}

function send(options: string[], to: string, bytes: Uint8Array) {
  return runPeer("socat", [...options, "-u", "-", to], bytes);
}

async function listen(...args: string[]) {
  const peer = new Peer("socat", [...BLOCK, ...args]);
  return Object.assign(peer, { address: await peer.bound() });
}

for (const message of MESSAGES) {
  const { name, bytes } = message;

  test(`socat reaches the server: ${name}`, () =>
    serverReceives(message, (port) => send(BLOCK, toServer(port), bytes)));

  test(`socat gets what the client sends: ${name}`, async () => {
    await using peer = await listen("-u", "UDP-RECVFROM:0,bind=127.0.0.1", "-");
    await clientSends(message, peer.address);
    const ended = await peer.ended();
    assertEquals(ended.code, 0, ended.stderr);
    assertSameBytes(ended.bytes, bytes);
  });

  test(`socat gets the server's echo: ${name}`, () =>
    serverEchoes(message, async (port) => {
      const args = [...BLOCK, "-", `UDP:127.0.0.1:${port}`];
      await using peer = new Peer("socat", args);
      await peer.type(bytes);
      return await peer.shown(bytes.length);
    }));

  test(`socat's echo reaches the client that waits: ${name}`, async () => {
    await using peer = await listen("UDP-RECVFROM:0,bind=127.0.0.1", "PIPE");
    await clientHears(message, message, peer.address);
  });
}

test("65,507 bytes from socat without -b are eight messages at the server", async () => {
  const sizes = await sizesAtServer(
    8,
    (port) => send([], toServer(port), LONGEST.bytes),
  );
  assertEquals(sizes, [...Array(7).fill(8192), 8163]);
});

test("the end of socat's input reaches the server with shut-null: 0 bytes", () =>
  serverReceives(
    EMPTY,
    (port) => send([], `${toServer(port)},shut-null`, EMPTY.bytes),
  ));

test("the client's empty message is the end for socat with null-eof", async () => {
  await using peer = await listen(
    "-u",
    "UDP-RECV:0,bind=127.0.0.1,null-eof",
    "-",
  );
  await clientSends(EMPTY, peer.address);
  const { code, bytes, stderr } = await peer.ended();
  assertEquals([code, bytes.length], [0, 0], stderr);
});
