/**
 * PHP's stream functions, OpenBSD's netcat and socat over tcp:// addresses: each
 * message is a line, or the bytes before the end of a connection.
 */
import { assertEquals } from "@std/assert";
import { Program } from "../process/support/programs.ts";
import { assertSameBytes, BONJOUR, type Message } from "./support/exchanges.ts";
import { Peer, runPeer, type Test, testsWhere } from "./support/peers.ts";
import {
  assertReceived,
  client,
  lineOf,
  LINES,
  serve,
} from "./support/streams.ts";

/** How a peer is run. */
interface Kind {
  name: string;
  test: Test;
  /** Sends input to a port, closes its sending side, and returns the reply. */
  ask(port: string, input: Uint8Array): Promise<Uint8Array>;
  /** Listens, and reports its address. */
  listen(echo: boolean): Promise<Peer & { address: string }>;
}

async function listening(peer: Peer, pattern: RegExp) {
  const [, ...address] = await peer.said(pattern);
  return Object.assign(peer, { address: `tcp://${address.join(":")}` });
}

const PEERS = `${import.meta.dirname}/peers`;

const KINDS: Kind[] = [
  {
    name: "PHP",
    test: await testsWhere("command -v php", "php-cli"),
    ask: (port, input) =>
      runPeer("php", [`${PEERS}/stream_client.php`, port, "--wait"], input),
    listen: (echo) =>
      listening(
        new Peer("php", [
          `${PEERS}/stream_server.php`,
          ...echo ? ["--echo"] : [],
        ]),
        /^listening on tcp:\/\/(\S+)\n/,
      ),
  },
  {
    name: "nc",
    test: await testsWhere("command -v nc.openbsd", "netcat-openbsd"),
    ask: (port, input) =>
      runPeer("nc.openbsd", ["-n", "-N", "127.0.0.1", port], input),
    listen: async () =>
      await listening(
        new Peer("nc.openbsd", ["-n", "-l", "-v", "127.0.0.1", "0"]),
        /^Listening on (\S+) (\d+)\n/,
      ),
  },
  {
    name: "socat",
    test: await testsWhere("command -v socat", "socat"),
    ask: (port, input) =>
      runPeer("socat", ["-t", "20", "-", `TCP:127.0.0.1:${port}`], input),
    listen: (echo) =>
      listening(
        new Peer("socat", [
          ...["-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1"],
          echo ? "PIPE" : "-",
        ]),
        /listening on AF=2 (\S+)\n/,
      ),
  },
];

for (const { name, test, ask, listen } of KINDS) {
  for (const message of LINES) {
    for (
      const [what, input] of [
        ["before the end", message.bytes],
        ["a line", lineOf(message)],
      ] as const
    ) {
      test(`${name} reaches the server and gets its echo, ${what}: ${message.name}`, async () => {
        await using server = await serve("tcp", [
          ...["--once", "--echo", "--format", "raw"],
        ]);
        assertSameBytes(await ask(server.port, input), lineOf(message));
        await assertReceived(server, message);
      });
    }

    test(`${name} gets what the client sends: ${message.name}`, async () => {
      await using peer = await listen(false);
      await client(message, peer.address, []);
      const { code, bytes, stderr } = await peer.ended();
      assertEquals(code, 0, stderr);
      assertSameBytes(bytes, lineOf(message));
    });

    if (name === "nc") continue;
    test(`${name}'s echo reaches a waiting client: ${message.name}`, async () => {
      await using peer = await listen(true);
      const args = ["--wait", "--timeout", "60s", "--format", "raw"];
      assertSameBytes(
        await client(message, peer.address, args),
        message.bytes,
      );
    });
  }

  test(`each of many lines that ${name} sends at once is a message`, async () => {
    await using server = await serve("tcp", [
      "--count",
      "3",
      "--format",
      "json",
    ]);
    const input = new TextEncoder().encode("one\r\n\nthree\n");
    await ask(server.port, input).catch(() => {});
    const { code, stdout, stderr } = await server.ended();
    assertEquals(code, 0, stderr);
    assertEquals(
      stdout.trimEnd().split("\n").map((line) => JSON.parse(line).text),
      ["one", "", "three"],
    );
  });
}

for (
  const [what, replies] of [["never replies", []], ["echoes", [
    "--echo",
  ]]] as const
) {
  KINDS[1]!.test(
    `nc -N does not wait for the time-out of a server that ${what}`,
    async () => {
      // The second message arrives in time only if the first nc has ended.
      await using server = new Program("server.ts", [
        ...["tcp://127.0.0.1:0", "--count", "2", "--timeout", "50s"],
        ...replies,
      ], { flags: ["--allow-net=127.0.0.1"] });
      const [, port] = await server.said(/^listening on \S+:(\d+)$/);
      for (let n = 0; n < 2; n++) await KINDS[1]!.ask(port!, BONJOUR.bytes);
      const { code, stderr } = await server.ended();
      assertEquals(code, 0, stderr);
    },
  );
}

KINDS[1]!.test(
  "text typed into nc reaches a waiting client",
  async () => {
    await using peer = await KINDS[1]!.listen(false);
    const reply: Message = LINES[1]!;
    const [answer] = await Promise.all([
      client(BONJOUR, peer.address, [
        ...["--wait", "--timeout", "60s", "--format", "raw"],
      ]),
      peer.answer(BONJOUR.bytes.length + 1, lineOf(reply)),
    ]);
    assertSameBytes(answer, reply.bytes);
  },
);
