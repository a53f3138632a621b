/**
 * netcat and similar programs. They differ in what they can carry:
 *
 * - OpenBSD's nc reads 16,384 bytes at a time, from its input as from the
 *   network: it cannot send a longer message, and shows no more of one. It cannot
 *   send an empty message, and takes one for the end. With -v it sends a few "X"
 *   of its own first.
 * - Ncat reads 8,192 bytes of its input, or of the output of what it executes, at
 *   a time and cannot send a longer message; it shows messages of any length. It
 *   cannot send an empty message, and shows nothing of one.
 * - socat reads 8,192 bytes at a time without -b. It needs its options shut-null
 *   and null-eof for empty messages, which stand for the end of input; it can
 *   send no others, and ignores them without.
 */
import { assertEquals } from "@std/assert";
import {
  assertSameBytes,
  BONJOUR,
  clientReceives,
  clientSends,
  EMPTY,
  LONGEST,
  type Message,
  MESSAGES,
  serverEchoes,
  serverReceives,
  sized,
  sizesAtServer,
  SMALL,
} from "./support/exchanges.ts";
import { Peer, runPeer, type Test, testsWhere } from "./support/peers.ts";

/** A program, and the arguments with which it takes each part. */
interface Tool {
  name: string;
  command: string;
  debianPackage: string;
  /** Messages that it can send as one. */
  sendable: Message[];
  /** Messages that it shows whole. */
  showable: Message[];
  /** Sends its input to a port and ends. */
  send: (port: string) => string[];
  /** Messages in which 65,507 bytes of its input reach a server, by default. */
  split: { from: string; args: (port: string) => string[]; sizes: number[] };
  /** Sends its input to a port and shows what returns. */
  ask: (port: string) => string[];
  /** Shows what it receives; ends by itself after that, or not. */
  show: { args: string[]; ends: boolean };
  /** Shows what it receives, and answers with what is typed, if it can. */
  type?: string[];
  /** Answers with what it receives, in its own way. */
  echo?: { way: string; args: string[] };
  /** The address where it listens. */
  address: (peer: Peer) => Promise<string>;
}

const ncSend = (port: string) => ["-u", "-n", "-q", "0", "127.0.0.1", port];
const NC: Tool = {
  name: "nc",
  command: "nc.openbsd",
  debianPackage: "netcat-openbsd",
  sendable: [...SMALL, sized(9000), sized(16_384)],
  showable: [...SMALL, sized(9000), sized(16_384)],
  send: ncSend,
  split: {
    from: "nc",
    args: ncSend,
    sizes: [16_384, 16_384, 16_384, 16_355],
  },
  ask: (port) => ["-u", "-n", "-W", "1", "127.0.0.1", port],
  show: { args: "-u -n -l -v -W 1 127.0.0.1 0".split(" "), ends: true },
  type: "-u -n -l -v 127.0.0.1 0".split(" "),
  async address(peer) {
    const [, port = ""] = await peer.said(/^Bound on 127\.0\.0\.1 (\d+)\n/);
    return `udp://127.0.0.1:${port}`;
  },
};

const ncatSend = (
  port: string,
) => ["-u", "-n", "--send-only", "127.0.0.1", port];
const NCAT: Tool = {
  name: "Ncat",
  command: "ncat",
  debianPackage: "ncat",
  sendable: [...SMALL, sized(8192)],
  showable: MESSAGES,
  send: ncatSend,
  split: {
    from: "Ncat",
    args: ncatSend,
    sizes: [...Array(7).fill(8192), 8163],
  },
  ask: (port) => ["-u", "-n", "127.0.0.1", port],
  show: { args: "-u -n -l -v 127.0.0.1 0".split(" "), ends: false },
  type: "-u -n -l -v 127.0.0.1 0".split(" "),
  echo: {
    way: "what Ncat executes",
    args: "-u -n -l -v --exec /bin/cat 127.0.0.1 0".split(" "),
  },
  // What it prints is "127.0.0.1:0".
  address: (peer) => peer.bound(),
};

const BLOCK = ["-b", "65507"];
const RECEIVE = "UDP-RECVFROM:0,bind=127.0.0.1";
const SOCAT: Tool = {
  name: "socat",
  command: "socat",
  debianPackage: "socat",
  sendable: MESSAGES,
  showable: MESSAGES,
  send: (port) => [...BLOCK, "-u", "-", `UDP-SENDTO:127.0.0.1:${port}`],
  split: {
    from: "socat without -b",
    args: (port) => ["-u", "-", `UDP-SENDTO:127.0.0.1:${port}`],
    sizes: [...Array(7).fill(8192), 8163],
  },
  ask: (port) => [...BLOCK, "-", `UDP:127.0.0.1:${port}`],
  show: { args: [...BLOCK, "-u", RECEIVE, "-"], ends: true },
  echo: { way: "socat's echo", args: [...BLOCK, RECEIVE, "PIPE"] },
  address: (peer) => peer.bound(),
};

/** Starts a tool that listens. */
async function listen({ command, address }: Tool, args: string[]) {
  const peer = new Peer(command, args);
  return Object.assign(peer, { address: await address(peer) });
}

/** The tests that every tool passes with the messages that it can carry. */
function testTool(test: Test, tool: Tool): void {
  const { name, command, send, split, ask, show, type, echo } = tool;

  test(`65,507 bytes from ${split.from} are ${split.sizes.length} messages at the server`, async () => {
    const sizes = await sizesAtServer(
      split.sizes.length,
      (port) => runPeer(command, split.args(port), LONGEST.bytes),
    );
    assertEquals(sizes, split.sizes);
  });

  for (const message of tool.sendable) {
    const { bytes } = message;

    test(`${name} reaches the server: ${message.name}`, () =>
      serverReceives(message, (port) => runPeer(command, send(port), bytes)));

    test(`${name} gets the server's echo: ${message.name}`, () =>
      serverEchoes(message, async (port) => {
        await using peer = new Peer(command, ask(port));
        await peer.type(bytes);
        return await peer.shown(bytes.length);
      }));

    if (type !== undefined) {
      test(`what is typed into ${name} reaches the client that waits: ${message.name}`, async () => {
        await using peer = await listen(tool, type);
        await Promise.all([
          peer.answer(BONJOUR.bytes.length, bytes),
          clientReceives(BONJOUR, message, peer.address),
        ]);
      });
    }

    if (echo !== undefined) {
      test(`${echo.way} reaches the client that waits: ${message.name}`, async () => {
        await using peer = await listen(tool, echo.args);
        await clientReceives(message, message, peer.address);
      });
    }
  }

  for (const message of tool.showable) {
    test(`${name} shows what the client sends: ${message.name}`, async () => {
      await using peer = await listen(tool, show.args);
      await clientSends(message, peer.address);
      const shown = show.ends
        ? await whole(peer)
        : await peer.shown(message.bytes.length);
      assertSameBytes(shown, message.bytes);
    });
  }
}

/** What a peer has shown when it has ended by itself. */
async function whole(peer: Peer): Promise<Uint8Array> {
  const { code, bytes, stderr } = await peer.ended();
  assertEquals(code, 0, stderr);
  return bytes;
}

async function testsOf(tool: Tool): Promise<Test> {
  const { command, debianPackage } = tool;
  const test = await testsWhere(`command -v ${command}`, debianPackage);
  testTool(test, tool);
  return test;
}

const nc = await testsOf(NC);

nc(
  "nc shows the first 16,384 of the 65,507 bytes that the client sends",
  async () => {
    await using peer = await listen(NC, NC.show.args);
    await clientSends(LONGEST, peer.address);
    assertSameBytes(await whole(peer), LONGEST.bytes.subarray(0, 16_384));
  },
);

nc("the client's empty message is the end for nc", async () => {
  await using peer = await listen(NC, "-u -n -l -v 127.0.0.1 0".split(" "));
  await clientSends(EMPTY, peer.address);
  assertEquals((await whole(peer)).length, 0);
});

const ncat = await testsOf(NCAT);

ncat("the client's empty message reaches Ncat", async () => {
  await using peer = await listen(NCAT, NCAT.show.args);
  await clientSends(EMPTY, peer.address);
  await peer.said(/^Ncat: Connection from 127\.0\.0\.1/m);
});

const socat = await testsOf(SOCAT);

socat(
  "the end of socat's input reaches the server with shut-null: 0 bytes",
  () =>
    serverReceives(EMPTY, (port) => {
      const to = `UDP-SENDTO:127.0.0.1:${port},shut-null`;
      return runPeer("socat", ["-u", "-", to]);
    }),
);

socat(
  "the client's empty message is the end for socat with null-eof",
  async () => {
    const receive = "UDP-RECV:0,bind=127.0.0.1,null-eof";
    await using peer = await listen(SOCAT, [...BLOCK, "-u", receive, "-"]);
    await clientSends(EMPTY, peer.address);
    assertEquals((await whole(peer)).length, 0);
  },
);
