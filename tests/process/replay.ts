/** What deno task replay sends, what it says, and what it refuses. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { bind, Datagram } from "../../mod.ts";
import { CaptureEncoder } from "../../lib/capture.ts";
import { openStore } from "../../lib/sinks/store.ts";
import { LOOPBACK, net, pattern } from "../support/helpers.ts";
import { cat, ethernet, frame, pcap } from "../support/captures.ts";
import { Program, run } from "./support/programs.ts";

const REPLAY = "lib/programs/replay.ts";

/** A test with a file in a folder of its own. */
function test(
  promise: string,
  body: (path: string) => Promise<void>,
): void {
  Deno.test(promise, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await body(`${folder}/file`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** Writes a capture of datagrams of senders with these ports, 1 ms apart. */
async function write(path: string, ports: number[], to = 53): Promise<void> {
  const encoder = new CaptureEncoder();
  const packets = ports.map((port, n) =>
    encoder.encode({
      time: BigInt(n) * 1_000_000n,
      from: net("192.0.2.1", port),
      to: net("192.0.2.2", to),
      data: new TextEncoder().encode(`${n}`),
    })!
  );
  await Deno.writeFile(path, cat(encoder.header, ...packets));
}

function permissions(path: string) {
  return { flags: ["--allow-net=127.0.0.1", `--allow-read=${path}`] };
}

/** Whether a process has a handler for SIGINT, by the mask of Linux. */
async function catchesInterrupts(pid: number): Promise<boolean> {
  const { stdout } = await new Deno.Command("cat", {
    args: [`/proc/${pid}/status`],
  }).output();
  const mask = /^SigCgt:\s*(\w+)$/m.exec(new TextDecoder().decode(stdout));
  return mask !== null && (BigInt(`0x${mask[1]}`) & 2n) !== 0n;
}

/** Receives so many datagrams. */
async function receive(
  socket: ReturnType<typeof bind>,
  count: number,
): Promise<{ text: string; port: number }[]> {
  const all = [];
  while (all.length < count) {
    const datagram = await socket.receive({ timeoutMs: 30_000 });
    const { port } = datagram.from as Deno.NetAddr;
    all.push({ text: datagram.text(), port });
  }
  return all;
}

test("replay sends a capture to one address, each sender from a socket of its own", async (path) => {
  await write(path, [1, 2, 1, 3, 2]);
  await using server = bind(LOOPBACK);
  const to = `127.0.0.1:${server.addr.port}`;
  const { code, stdout, stderr } = await run(
    REPLAY,
    [path, "--to", to, "--loop", "2"],
    permissions(path),
  );
  assertEquals([code, stdout], [0, ""], stderr);
  const [first, last] = stderr.split("\n");
  assertEquals(first, `replaying "${path}" to udp://${to} as captured`);
  assertMatch(
    last!,
    /^sent 10 datagrams in \d+\.\d s, at most \d+\.\d ms late$/,
  );
  const all = await receive(server, 10);
  assertEquals(all.map(({ text }) => text), [..."0123401234"]);
  const [a, b, , c] = all.map(({ port }) => port);
  assertEquals(new Set([a, b, c]).size, 3);
  assertEquals(all.map(({ port }) => port), [a, b, a, c, b, a, b, a, c, b]);
});

test("replay reuses the socket of the oldest of 256 senders, and says so", async (path) => {
  await write(path, Array.from({ length: 300 }, (_, n) => n));
  await using server = bind(LOOPBACK);
  const to = `127.0.0.1:${server.addr.port}`;
  const args = [path, "--to", to, "--rate", "5000/s"];
  const { code, stderr } = await run(REPLAY, args, permissions(path));
  assertEquals(code, 0, stderr);
  assertMatch(
    stderr,
    /^replaying .* at 5000 datagrams per second\nsent 300 .*, 44 sockets reused\n$/,
  );
});

test("replay selects, counts what it does not send, and what the file has besides", async (path) => {
  const arp = ethernet(0x0806, cat("arp"));
  const file = pcap([frame("a"), arp, frame("b").slice(0, -1)], {
    original: 44,
  });
  await Deno.writeFile(path, file);
  await using server = bind(LOOPBACK);
  const to = `127.0.0.1:${server.addr.port}`;
  const args = [path, "--to", to, "--speed", "max"];
  const all = await run(REPLAY, args, permissions(path));
  assertMatch(
    all.stderr,
    / at once\nsent 1 datagram .*\nbesides in the file: 1 cut, 1 arp\n$/,
  );
  assertEquals((await receive(server, 1)).map(({ text }) => text), ["a"]);
  for (const selection of [["--port", "1"], ["--from", "10.9.0.0/16"]]) {
    const { stderr } = await run(
      REPLAY,
      [...args, ...selection],
      permissions(path),
    );
    assertMatch(stderr, /\nsent 0 datagrams .*, 1 not selected\n/);
  }
});

test("replay sends the messages of a store, and nothing that was cut", async (path) => {
  const store = await openStore(path);
  const messages = ["a", "cut", "b"].map((text, n) => ({
    id: n + 1,
    time: new Date(n),
    datagram: new Datagram(
      new TextEncoder().encode(text),
      net("10.0.0.1", n),
      text === "cut",
    ),
  }));
  store.write(messages);
  await store.flush();
  await store.close();
  await using server = bind(LOOPBACK);
  const to = `127.0.0.1:${server.addr.port}`;
  const { code, stderr } = await run(
    REPLAY,
    [path, "--to", to],
    permissions(path),
  );
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /\nsent 2 datagrams .*\nbesides in the file: 1 cut\n$/);
  assertEquals((await receive(server, 2)).map(({ text }) => text), ["a", "b"]);
  const port = await run(
    REPLAY,
    [path, "--to", to, "--port", "1"],
    permissions(path),
  );
  assertEquals(port.code, 1);
  assertMatch(
    port.stderr,
    /^--port: a store does not know ports; leave it out[^\n]*\n$/,
  );
});

test("replay of a broken file sends what it has, and exits 2 with the packet's number", async (path) => {
  await Deno.writeFile(path, cat(pcap([frame("a")]), [1, 2, 3]));
  await using server = bind(LOOPBACK);
  const to = `127.0.0.1:${server.addr.port}`;
  const { code, stderr } = await run(
    REPLAY,
    [path, "--to", to],
    permissions(path),
  );
  assertEquals(code, 2);
  assertMatch(
    stderr,
    /\nsent 1 datagram [^\n]*\nCannot read a capture: packet 2, at byte 83: the file ends in the middle of its header; read before it: 1 datagram in 1 packet\n$/,
  );
  assertEquals((await receive(server, 1)).map(({ text }) => text), ["a"]);
});

test("Ctrl-C ends a replay with its totals", async (path) => {
  const encoder = new CaptureEncoder();
  const [early, late] = [0n, 10n ** 18n].map((time) =>
    encoder.encode({
      time,
      from: net("192.0.2.1", 1),
      to: net("192.0.2.2", 2),
      data: pattern(1),
    })!
  );
  await Deno.writeFile(path, cat(encoder.header, early!, late!));
  await using server = bind(LOOPBACK);
  const to = `127.0.0.1:${server.addr.port}`;
  await using program = new Program(
    REPLAY,
    [path, "--to", to],
    permissions(path),
  );
  await receive(server, 1);
  program.kill("SIGINT");
  const { code, stderr } = await program.ended();
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /\nsent 1 datagram /);
});

test("replay reads a capture from standard input as it comes, and Ctrl-C ends it", async (path) => {
  await write(path, [1, 2]);
  await using server = bind(LOOPBACK);
  const to = `127.0.0.1:${server.addr.port}`;
  const capture = await Deno.readFile(path);
  let input: ReadableStreamDefaultController<Uint8Array>;
  const stdin = new ReadableStream<Uint8Array>({
    start(controller) {
      input = controller;
      input.enqueue(capture);
    },
  });
  await using program = new Program(REPLAY, ["-", "--to", to], { stdin });
  const received = await receive(server, 2);
  assertEquals(received.map(({ text }) => text), ["0", "1"]);
  program.kill("SIGINT");
  const { code, stderr } = await program.ended();
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /^replaying standard input to .*\nsent 2 datagrams /);
  input!.close();
});

test("Ctrl-C ends a replay that waits for the writer of a pipe", async (path) => {
  const made = await new Deno.Command("mkfifo", { args: [path] }).output();
  assertEquals(made.code, 0);
  await using program = new Program(
    REPLAY,
    [path, "--to", ":9"],
    permissions(path),
  );
  while (!await catchesInterrupts(program.pid));
  program.kill("SIGINT");
  const { code, stderr } = await program.ended();
  assertEquals([code, stderr], [0, ""]);
});

test("replay counts what UDP cannot send there, and exits 4", async (path) => {
  const encoder = new CaptureEncoder();
  const [from, to] = [net("fd00::1", 1), net("fd00::2", 2)];
  const packet = encoder.encode({ time: 0n, from, to, data: pattern(65_527) });
  await Deno.writeFile(path, cat(encoder.header, packet!));
  const { code, stderr } = await run(
    REPLAY,
    [path, "--to", "127.0.0.1:9"],
    permissions(path),
  );
  assertEquals(code, 4, stderr);
  assertMatch(stderr, /\nsent 0 datagrams .*, 1 not sent\n/);
  assert(
    stderr.includes("Cannot send 65527 bytes to udp://127.0.0.1:9"),
    stderr,
  );
});

for (
  const [args, code, says] of [
    [[], 1, "FILE is missing"],
    [["a", "b"], 1, "expected one FILE, got 2"],
    [["a"], 1, "--to is missing, such as 127.0.0.1:62000"],
    [
      ["a", "--to", "tcp://127.0.0.1:9"],
      1,
      '--to "tcp://127.0.0.1:9": must be an address of UDP',
    ],
    [["a", "--to", "127.0.0.1:0"], 1, "Invalid address"],
    [
      ["a", "--to", ":9", "--speed", "0"],
      1,
      '--speed "0": must be a number above 0, such as 2, or max',
    ],
    [
      ["a", "--to", ":9", "--speed", "2", "--rate", "1"],
      1,
      "--speed and --rate: give one of them",
    ],
    [["a", "--to", ":9", "--loop", "0"], 1, '--loop "0"'],
    [
      ["-", "--to", ":9", "--loop", "2"],
      1,
      "--loop: standard input can be read only once",
    ],
    [["a", "--to", ":9", "--port", "65536"], 1, '--port "65536"'],
    [["a", "--to", ":9", "--from", "x"], 1, 'Invalid address "x"'],
    [
      ["a", "--to", ":9"],
      2,
      'Cannot open "a" without permission; run: deno run --allow-net=127.0.0.1:0,127.0.0.1:9 --allow-read=a ',
    ],
  ] as const
) {
  Deno.test(`replay ${JSON.stringify(args)} exits ${code} with one line`, async () => {
    const result = await run(REPLAY, [...args]);
    assertEquals([result.code, result.stdout], [code, ""]);
    assertMatch(result.stderr, /^[^\n]+\n$/);
    assert(result.stderr.startsWith(says), result.stderr);
  });
}

for (
  const [what, make] of [
    ["no file", undefined],
    ["a folder", (path: string) => Deno.mkdir(path)],
    ["a text", (path: string) => Deno.writeTextFile(path, "hello")],
  ] as const
) {
  test(`replay of ${what} exits 2 with one line`, async (path) => {
    await make?.(path);
    const { code, stderr } = await run(
      REPLAY,
      [path, "--to", ":9", "--quiet"],
      permissions(path),
    );
    assertEquals(code, 2);
    assertMatch(stderr, /^Cannot (replay|read a capture)[^\n]+\n$/);
  });
}
