/** What is recorded: by the library, by server, by relay, and from a store. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { bind, connect, Datagram } from "../../mod.ts";
import { openStore } from "../../lib/sinks/store.ts";
import {
  type CapturedDatagram,
  openRecording,
  readCapture,
} from "../../lib/capture.ts";
import { collector } from "../support/relays.ts";
import { net, pattern, until } from "../support/helpers.ts";
import { Program, run, startServer } from "./support/programs.ts";

/** A test with a folder of its own, and the path of a capture in it. */
function test(
  promise: string,
  body: (path: string, folder: string) => Promise<void>,
): void {
  Deno.test(promise, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await body(`${folder}/all.pcapng`, folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

async function readAll(path: string): Promise<CapturedDatagram[]> {
  const file = await Deno.open(path);
  return await Array.fromAsync(readCapture(file.readable));
}

/** The last line of a program with --format json. */
function totals({ stderr }: { stderr: string }) {
  return JSON.parse(stderr.trimEnd().split("\n").at(-1)!);
}

const FROM = net("10.0.0.1", 4000);
const TO = net("10.0.0.2", 53);

test("a recording has what was recorded, in order, and its counts add up", async (path) => {
  const recording = await openRecording(path, { comment: "test" });
  const sizes = Array.from({ length: 3000 }, (_, n) => n % 1500);
  sizes.forEach((size, n) =>
    recording.record({
      time: BigInt(n),
      from: FROM,
      to: TO,
      data: pattern(size),
    })
  );
  recording.record({ time: 0n, from: FROM, to: TO, data: pattern(65_508) });
  await recording.flush();
  assertEquals(recording.stats, {
    recorded: 3000,
    waiting: 0,
    skipped: 1,
    overLimit: 0,
    lost: 0,
  });
  await recording.close();
  await recording.close();
  recording.record({ time: 0n, from: FROM, to: TO, data: pattern(1) });
  assertEquals(recording.stats.lost, 1);
  const all = await readAll(path);
  assertEquals(all.map(({ data }) => data), sizes.map(pattern));
  assertEquals(all.map(({ time }) => time), sizes.map((_, n) => BigInt(n)));
});

test("a recording stops at its limit, says so once, and stays a whole capture", async (path) => {
  const lines: string[] = [];
  const onTrouble = (line: string) => void lines.push(line);
  const recording = await openRecording(path, { limit: 10_000, onTrouble });
  for (let n = 0; n < 100; n++) {
    recording.record({ time: 0n, from: FROM, to: TO, data: pattern(900) });
  }
  // No smaller one after that either.
  recording.record({ time: 0n, from: FROM, to: TO, data: pattern(1) });
  await recording.close();
  const { recorded, overLimit } = recording.stats;
  assertEquals(recorded + overLimit, 101);
  const { size } = await Deno.stat(path);
  assert(size <= 10_000 && size > 9000, `${size}`);
  assertEquals((await readAll(path)).length, recorded);
  assertEquals(lines, [
    `Cannot record to "${path}": it has ${recorded} datagrams, and would be longer than 10000 bytes; further ones are counted`,
  ]);
});

test("datagrams that come faster than the disk are lost and counted, within 8 MiB", async (path) => {
  const recording = await openRecording(path);
  for (let n = 0; n < 1000; n++) {
    recording.record({ time: 0n, from: FROM, to: TO, data: pattern(60_000) });
  }
  assert(recording.stats.lost > 800);
  await recording.close();
  const { recorded, lost } = recording.stats;
  assertEquals(recorded + lost, 1000);
  assertEquals((await readAll(path)).length, recorded);
});

test("a closing that is out of time counts what waits", async (path) => {
  const recording = await openRecording(path);
  recording.record({ time: 0n, from: FROM, to: TO, data: pattern(9) });
  await recording.close(AbortSignal.abort());
  assertEquals(recording.stats.lost + recording.stats.recorded, 1);
  assertEquals(recording.stats.waiting, 0);
  // The write that was under way ends by itself.
  await until(async () => (await Deno.stat(path)).size > 0);
});

test("a recording does not replace a file, nor begin in a folder that is not there", async (path) => {
  await Deno.writeTextFile(path, "precious");
  for (
    const [name, says] of [
      [path, "the file exists; remove it, or give another name"],
      [`${path}/x`, ""],
      ["/nowhere/x", ""],
    ] as const
  ) {
    try {
      await openRecording(name);
      throw new Error("no error");
    } catch (error) {
      const { message } = error as Error;
      assert(
        message.startsWith(`Cannot record to "${name}": ${says}`),
        message,
      );
      assert(!message.includes("\n"));
    }
  }
  assertEquals(await Deno.readTextFile(path), "precious");
});

const permitted = (path: string) => ({
  flags: ["--allow-net=127.0.0.1", `--allow-write=${path}`],
});

test("server --record has each message, with its sender and its time", async (path) => {
  const began = Date.now();
  await using server = await startServer(
    ["--record", path, "--count", "3", "--format", "json"],
    permitted(path),
  );
  await using client = await connect(server.address);
  const texts = ["a", "", "c\x1b"];
  for (const text of texts) await client.send(text);
  const ended = await server.ended();
  assertEquals(ended.code, 0, ended.stderr);
  assertEquals(totals(ended).sinks.record, {
    recorded: 3,
    waiting: 0,
    skipped: 0,
    overLimit: 0,
    lost: 0,
  });
  const all = await readAll(path);
  const decoder = new TextDecoder();
  assertEquals(all.map(({ data }) => decoder.decode(data)), texts);
  for (const { from, to, time } of all) {
    assertEquals(from.port, client.addr.port);
    assertEquals(`udp://${to.hostname}:${to.port}`, server.address);
    const ms = Number(time! / 1_000_000n);
    assert(ms >= began && ms <= Date.now(), `${ms}`);
  }
});

test(
  "server --record marks messages that were cut, and skips those without IP addresses",
  async (path, folder) => {
    await using server = await startServer(
      ["--record", path, "--count", "1", "--max-size", "2"],
      permitted(path),
    );
    await using client = await connect(server.address);
    await client.send("long");
    assertEquals((await server.ended()).code, 0);
    const [one] = await readAll(path);
    assertEquals(one?.data.length, 2);
    assertEquals(one?.comments, ["cut here: the datagram was longer"]);

    const other = `${folder}/unix.pcapng`;
    const socket = `unix:${folder}/pli.sock`;
    await using unix = new Program("server.ts", [
      ...[socket, "--record", other, "--count", "1", "--format", "json"],
    ], { flags: ["-A"] });
    await unix.said(/^listening on/);
    await using sender = await connect(socket);
    await sender.send("x");
    assertEquals(totals(await unix.ended()).sinks.record.skipped, 1);
    assertEquals(await readAll(other), []);
  },
);

test("server --record has messages of connections as UDP between their addresses", async (path) => {
  await using server = new Program("server.ts", [
    ...["tcp://127.0.0.1:0", "--record", path, "--count", "1"],
  ], permitted(path));
  const [, address = ""] = await server.said(/^listening on (\S+)$/);
  await using client = await connect(address);
  await client.send("by TCP");
  assertEquals((await server.ended()).code, 0);
  const [one] = await readAll(path);
  assertEquals(new TextDecoder().decode(one?.data), "by TCP");
  assertEquals(one?.from.transport, "udp");
  assertEquals(`tcp://${one?.to.hostname}:${one?.to.port}`, address);
});

test("server goes on when its recording cannot: said once, counted, received", async (path) => {
  // A limit of the system for files: 8 blocks of 512 bytes.
  const limit = "trap '' XFSZ; ulimit -f 8; exec \"$@\"";
  await using server = await startServer(
    ["--record", path, "--count", "50", "--format", "json"],
    { ...permitted(path), under: ["sh", "-c", limit, "sh"] },
  );
  await using client = await connect(server.address);
  for (let n = 0; n < 50; n++) {
    await client.send(pattern(1000));
    // In several batches.
    await new Promise((go) => setTimeout(go, 1));
  }
  const ended = await server.ended();
  assertEquals(ended.code, 0, ended.stderr);
  const lines = ended.stderr.split("\n").filter((line) =>
    line.startsWith("Cannot")
  );
  assertEquals(lines.length, 1, ended.stderr);
  assertMatch(
    lines[0]!,
    /^Cannot record to .*; datagrams that are not recorded are counted$/,
  );
  const { received, sinks: { record, print } } = totals(ended);
  assertEquals([received, print.printed], [50, 50]);
  assertEquals(record.recorded + record.lost, 50);
  assert(record.lost > 40);
  assertEquals((await readAll(path)).length, record.recorded);
});

for (
  const [args, code, says] of [
    [["--record", ""], 1, '--record "": must be a path'],
    [["--record-limit", "1GiB"], 1, "--record-limit needs --record"],
    [
      ["--record", "x", "--record-limit", "0"],
      1,
      '--record-limit "0": must be a size, such as 500MB, 1GiB or 4096',
    ],
    [
      ["--record", "x", "--record-limit", "1TB"],
      1,
      '--record-limit "1TB": must be a size',
    ],
    [
      ["--record", "x"],
      2,
      'Cannot open "x" without permission; run: deno run --allow-net=127.0.0.1:0 --allow-write=x',
    ],
  ] as const
) {
  Deno.test(`server ${JSON.stringify(args)} exits ${code} with one line`, async () => {
    const result = await run("server.ts", ["127.0.0.1:0", ...args]);
    assertEquals([result.code, result.stdout], [code, ""]);
    assertMatch(result.stderr, /^[^\n]+\n$/);
    assert(result.stderr.startsWith(says), result.stderr);
  });
}

test(
  "history --format pcapng has the messages of a store, and says which it has not",
  async (_, folder) => {
    const store = `${folder}/messages.db`;
    const messages: [Deno.Addr, string][] = [
      [FROM, "a"],
      [net("fd00::1", 9), ""],
      [{ transport: "unixpacket", path: "/run/x" }, "not IP"],
      [{ transport: "tcp", hostname: "10.0.0.3", port: 7 }, "tcp"],
      [FROM, "long".repeat(20_000)],
    ];
    const log = await openStore(store);
    const encoder = new TextEncoder();
    log.write(messages.map(([from, text], n) => ({
      id: n + 1,
      time: new Date(1_700_000_000_123 + n),
      datagram: new Datagram(encoder.encode(text), from),
    })));
    await log.flush();
    await log.close();
    const { code, bytes, stderr } = await run(
      "lib/programs/history.ts",
      [store, "--format", "pcapng"],
      { flags: [`--allow-read=${folder}`] },
    );
    assertEquals([code, stderr], [
      0,
      "2 messages not written: longer than UDP allows, or without an IP address\n",
    ]);
    const all = await Array.fromAsync(readCapture(bytes));
    const decoder = new TextDecoder();
    assertEquals(
      all.map(({ time, from, to, data }) => [
        time! / 1_000_000n,
        from.hostname,
        to.hostname,
        to.port,
        decoder.decode(data),
      ]),
      [
        [1_700_000_000_123n, "10.0.0.1", "0.0.0.0", 0, "a"],
        [1_700_000_000_124n, "fd00::1", "::", 0, ""],
        [1_700_000_000_126n, "10.0.0.3", "0.0.0.0", 0, "tcp"],
      ],
    );
  },
);

const RELAY = "lib/programs/relay.ts";

test("relay --record has each datagram with its fate, and its totals as a comment", async (path) => {
  await using server = collector();
  const options = [
    "--listen",
    "127.0.0.1:0",
    "--to",
    `127.0.0.1:${server.addr.port}`,
  ];
  const faults = ["--loss", "30%", "--duplicate", "30%", "--seed", "4"];
  await using relay = new Program(
    RELAY,
    [...options, ...faults, "--record", path, "--format", "json"],
    { flags: ["--allow-net=127.0.0.1", `--allow-write=${path}`] },
  );
  const [, address = ""] = await relay.said(/^relaying (\S+) to/);
  await using client = await connect(address);
  for (let n = 0; n < 100; n++) await client.send(`${n}`);
  // The last one, which is not lost.
  const arrived = () =>
    server.arrived.some((bytes) => new TextDecoder().decode(bytes) === "end");
  while (!arrived()) {
    await client.send("end");
    await new Promise((go) => setTimeout(go, 5));
  }
  relay.kill("SIGINT");
  const { code, stdout, stderr } = await relay.ended();
  assertEquals(code, 0, stderr);
  const { up, recording } = JSON.parse(stdout);
  const all = await readAll(path);
  const fates = all.map(({ comments: [comment = ""] }) => comment);
  const times = (pattern: RegExp) =>
    fates.filter((fate) => pattern.test(fate)).length;
  assertEquals(times(/^up: forwarded after \d+\.\d{3} ms/), up.forwarded);
  assertEquals(times(/^up: lost/), up.lost);
  assertEquals(times(/, a copy/), up.duplicated);
  assertEquals(all.length, up.received + up.duplicated);
  assertEquals(recording.recorded, all.length);
  for (const { from, to } of all) {
    assertEquals([from.port, to.port], [client.addr.port, server.addr.port]);
  }
  const text = await Deno.readTextFile(path);
  assert(text.includes("relay, seed 4"));
  assert(text.includes(`up: received ${up.received} datagrams`));
});

test("relay without a socket leaves no file, and one with a file does not start", async (path) => {
  const args = ["--to", "127.0.0.1:9", "--record", path];
  await using busy = bind("udp://127.0.0.1:0");
  const listen = `127.0.0.1:${busy.addr.port}`;
  const flags = ["-A"];
  const inUse = await run(RELAY, ["--listen", listen, ...args], { flags });
  assertEquals(inUse.code, 2, inUse.stderr);
  assertMatch(inUse.stderr, /^Cannot bind [^\n]+\n$/);
  await Deno.writeTextFile(path, "precious");
  const exists = await run(RELAY, ["--listen", "127.0.0.1:0", ...args], {
    flags,
  });
  assertEquals(exists.code, 2);
  assertEquals(
    exists.stderr,
    `Cannot record to "${path}": the file exists; remove it, or give another name\n`,
  );
});
