import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { bind, connect } from "../../mod.ts";
import { SOON } from "../support/helpers.ts";
import { Program, run, startServer } from "./support/programs.ts";

const HOSTILE = "\x1b[2J\r\n\u202e\u0085 end";

Deno.test("server --once prints the message and exits 0", async () => {
  await using server = await startServer(["--once"]);
  await using client = await connect(server.address);
  await client.send("Bonjour je vous envoi un message !");
  const { code, stdout, stderr } = await server.ended();
  assertEquals(code, 0);
  assertMatch(
    stdout,
    /^\d{4}-\d\d-\d\dT[\d:.]+Z {2}udp:\/\/127\.0\.0\.1:\d+ {2}34 bytes {2}Bonjour je vous envoi un message !\n$/,
  );
  assertMatch(stderr, /^listening on udp:\/\/127\.0\.0\.1:\d+\n/);
  assertStringIncludes(stderr, "received 1 message (34 bytes)");
});

Deno.test("server --count 3 stops after three messages", async () => {
  await using server = await startServer(["--count", "3", "--format", "raw"]);
  await using client = await connect(server.address);
  for (const message of ["a", "b", "c", "d"]) await client.send(message);
  const { code, stdout } = await server.ended();
  assertEquals([code, stdout], [0, "abc"]);
});

Deno.test("server --timeout exits 3 when no message came", async () => {
  const { code, stdout } = await run("server.ts", [
    "127.0.0.1:0",
    "--timeout",
    "50ms",
  ]);
  assertEquals([code, stdout], [3, ""]);
});

Deno.test("server --format text shows control characters escaped, on one line", async () => {
  await using server = await startServer(["--once"]);
  await using client = await connect(server.address);
  await client.send(HOSTILE);
  const { stdout } = await server.ended();
  assert(stdout.endsWith("  \\x1b[2J\\r\\n\\u202e\\x85 end\n"), stdout);
});

Deno.test("server --format text shows bytes that are not UTF-8 in hexadecimal", async () => {
  await using server = await startServer(["--once"]);
  await using client = await connect(server.address);
  await client.send(new Uint8Array([0x61, 0xff, 0x00, 0x62]));
  const { stdout } = await server.ended();
  assert(stdout.endsWith("  4 bytes  a\\xff\\x00b\n"), stdout);
});

Deno.test("server --format json writes one object per line, safe for a terminal", async () => {
  await using server = await startServer(["--count", "2", "--format", "json"]);
  await using client = await connect(server.address);
  await client.send(HOSTILE);
  await client.send(new Uint8Array([0xff, 0x00]));
  const { stdout } = await server.ended();
  const [first = "", second = ""] = stdout.trimEnd().split("\n");
  assertEquals(/[\p{Cc}\p{Bidi_Control}]/u.test(first), false);
  const { time, from, ...rest } = JSON.parse(first);
  assertEquals(new Date(time).toISOString(), time);
  assertMatch(from, /^udp:\/\/127\.0\.0\.1:\d+$/);
  assertEquals(rest, { size: 15, truncated: false, text: HOSTILE });
  assertEquals(JSON.parse(second).base64, "/wA=");
  assertEquals(JSON.parse(second).text, undefined);
});

Deno.test("server --format hex shows the bytes in hexadecimal", async () => {
  await using server = await startServer(["--once", "--format", "hex"]);
  await using client = await connect(server.address);
  await client.send(new Uint8Array([0x00, 0xff, 0x0a]));
  const { stdout } = await server.ended();
  assert(stdout.endsWith("  3 bytes  00ff0a\n"), stdout);
});

Deno.test("server --format raw writes the bytes and nothing else", async () => {
  await using server = await startServer(["--count", "2", "--format", "raw"]);
  await using client = await connect(server.address);
  await client.send(new Uint8Array([0x00, 0xff]));
  await client.send(new Uint8Array([0x0a]));
  const { bytes } = await server.ended();
  assertEquals(bytes, new Uint8Array([0x00, 0xff, 0x0a]));
});

Deno.test("server --max-size marks the messages that it cut", async () => {
  await using server = await startServer(["--once", "--max-size", "3"]);
  await using client = await connect(server.address);
  await client.send("abcdef");
  const { stdout, stderr } = await server.ended();
  assert(stdout.endsWith("  3 bytes, truncated  abc\n"), stdout);
  assertStringIncludes(stderr, "1 truncated");
});

Deno.test("server shows the longest message whole", async () => {
  await using server = await startServer(["--once", "--format", "raw"]);
  await using client = await connect(server.address);
  const message = crypto.getRandomValues(new Uint8Array(65_507));
  await client.send(message);
  assertEquals((await server.ended()).bytes, message);
});

Deno.test("server --echo replies with the same message", async () => {
  await using server = await startServer(["--once", "--echo"]);
  await using client = await connect(server.address);
  const reply = await client.request("ping", SOON);
  assertEquals(reply.text(), "ping");
  const { code, stderr } = await server.ended();
  assertEquals(code, 0);
  assertStringIncludes(stderr, "sent 1 message (4 bytes)");
});

Deno.test("server --reply replies to each message with its text, even an empty one", async () => {
  for (const text of ["bien reçu", ""]) {
    await using server = await startServer(["--once", "--reply", text]);
    await using client = await connect(server.address);
    assertEquals((await client.request("ping", SOON)).text(), text);
  }
});

Deno.test("server on a port in use exits 2 and names the port", async () => {
  await using socket = bind("udp://127.0.0.1:0");
  const { port } = socket.addr;
  const { code, stderr } = await run("server.ts", [`127.0.0.1:${port}`]);
  assertEquals(code, 2);
  assertEquals(
    stderr,
    `Cannot bind udp://127.0.0.1:${port}: Address already in use (os error 98)\n`,
  );
});

Deno.test("server on an unknown host exits 2 with one line", async () => {
  const { code, stderr } = await run("server.ts", ["no-such.invalid:62000"], {
    flags: ["--allow-net"],
  });
  assertEquals(code, 2);
  assertEquals(
    stderr,
    "Cannot bind udp://no-such.invalid:62000: unknown host\n",
  );
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`server prints its totals and exits 0 on ${signal}`, async () => {
    await using server = await startServer(["--format", "raw", "--echo"]);
    await using client = await connect(server.address);
    await client.request("ping", SOON);
    server.kill(signal);
    const { code, stdout, stderr } = await server.ended();
    assertEquals([code, stdout], [0, "ping"]);
    assertStringIncludes(stderr, "received 1 message (4 bytes)");
    assertStringIncludes(stderr, "sent 1 message (4 bytes)");
  });
}

Deno.test("server --quiet prints nothing on standard error", async () => {
  const { code, stderr } = await run("server.ts", [
    "127.0.0.1:0",
    "--quiet",
    "--timeout",
    "50ms",
  ]);
  assertEquals([code, stderr], [3, ""]);
});

Deno.test("server ends with 0 when its standard output is closed", async () => {
  const script = `"$0" run --no-prompt --allow-net=127.0.0.1 server.ts \
127.0.0.1:0 --format raw; echo "exit $?" >&2`;
  await using shell = new Deno.Command("sh", {
    args: ["-c", `{ ${script}; } | head -c 1`, Deno.execPath()],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let said = "";
  let sending: Promise<void> | undefined;
  // The first message is read, and a later one finds the pipe closed.
  const sendUntilItEnds = async (address: string) => {
    await using client = await connect(address);
    while (!said.includes("exit")) {
      await client.send("x");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  for await (const text of shell.stderr.pipeThrough(new TextDecoderStream())) {
    said += text;
    const address = /listening on (\S+)\n/.exec(said)?.[1];
    if (address !== undefined) sending ??= sendUntilItEnds(address);
  }
  await shell.stdout.cancel();
  await sending;
  assertMatch(said, /exit 0\n$/);
});

const ONE_LINE = /^[^\n]+\n$/;

const WRONG: [string[], string][] = [
  [["--nonsense"], 'unknown option "--nonsense"'],
  [["-x"], 'unknown option "-x"'],
  [["--count"], "--count needs a value"],
  [["--count", "-1"], '--count "-1": must be a whole number from 1'],
  [["--count", "0"], '--count "0": must be a whole number from 1'],
  [["--count", "1e3"], '--count "1e3": must be a whole number from 1'],
  [["--count", ""], '--count "": must be a whole number from 1'],
  [["--count", "1", "--count", "2"], "--count is given twice"],
  [["--once", "--count", "2"], "--once and --count: give one of them"],
  [["--once=yes"], "--once takes no value"],
  [["--timeout", "abc"], '--timeout "abc": must be a time'],
  [["--timeout", "10"], '--timeout "10": must be a time'],
  [["--timeout", "0ms"], '--timeout "0ms": must be a time'],
  [["--timeout", "999999h"], "must be a time"],
  [["--max-size", "70000"], "--max-size 70000: over udp:// a message has at"],
  [["--format", "xml"], "must be one of text, json, hex, raw"],
  [["--echo", "--reply", "x"], "--echo and --reply: give one of them"],
  [["127.0.0.1:1", "127.0.0.1:2"], "expected one ADDRESS, got 2"],
  [["--format\x1b[2J"], 'unknown option "--format\\x1b[2J"'],
  [["unix:/tmp/x.sock", "--echo"], "a unix: server only receives"],
  [["unix:/tmp/x.sock", "--receipt", "--store", "x.db"], "only receives"],
  [["unix:/tmp/x.sock", "--allow", "::1"], "--allow is about IP addresses"],
  [["unix:/tmp/x.sock", "--rate-limit", "1"], "--rate-limit is about IP"],
  [["--rate-limit", "many"], '--rate-limit "many": must be a rate'],
  [["--rate-limit", "0/s"], '--rate-limit "0/s": must be a rate'],
  [["--answer-limit", "1/d"], '--answer-limit "1/d": must be a rate'],
  [["--burst", "5"], "--burst needs --rate-limit"],
  [["--stats-every", "1"], '--stats-every "1": must be a time'],
  [["--keep", "7d"], "--keep needs --store"],
  [["--store", "x.db", "--keep", "0"], '--keep "0": must be a number of'],
  [["--store", "x.db", "--keep", "7w"], '--keep "7w": must be a number of'],
  [["--store", ""], '--store "": must be a path'],
  [["quic://127.0.0.1:0", "--cert", "", "--key", "x"], '--cert "": must be a'],
  [["--receipt"], "--receipt needs --store"],
  [
    ["--store", "x.db", "--receipt", "--echo"],
    "--receipt and --echo: give one",
  ],
  [["--page-token-file", "x"], "--page-token-file needs --page"],
  [["--page-host", "a.example"], "--page-host needs --page"],
  [["--page", "0.0.0.0:62080"], "others can reach it there"],
  [["--page=http://127.0.0.1"], "must be HOST:PORT"],
];
for (const [args, says] of WRONG) {
  Deno.test(`server ${JSON.stringify(args)} exits 1 with one line`, async () => {
    const { code, stdout, stderr } = await run("server.ts", args);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, ONE_LINE);
    assertStringIncludes(stderr, says);
    assertStringIncludes(stderr, "see: deno task server --help");
  });
}

for (
  const args of [
    [""],
    ["127.0.0.1"],
    ["127.0.0.1:99999"],
    ["http://127.0.0.1:1"],
    ["--allow", "10.0.0.0/33"],
    ["--deny", "::1", "--deny", "here"],
    ["--page", "127.0.0.1"],
    ["--page", "--page-host", "https://a.example"],
    ["--publish", "nats://127.0.0.1:4222/a.*"],
  ]
) {
  Deno.test(`server ${JSON.stringify(args)} exits 1 with one line`, async () => {
    const { code, stderr } = await run("server.ts", args);
    assertEquals(code, 1);
    assertMatch(stderr, ONE_LINE);
    assertStringIncludes(stderr, `Invalid address "${args.at(-1)}": `);
  });
}

Deno.test("server without permission prints a command that works", async () => {
  const args = ["127.0.0.1:0", "--timeout", "50ms", "--reply", "it's here"];
  const { code, stdout, stderr } = await run("server.ts", args, { flags: [] });
  assertEquals([code, stdout], [2, ""]);
  assertEquals(
    stderr,
    "Cannot listen on udp://127.0.0.1:0 without permission; run: " +
      "deno run --allow-net=127.0.0.1 --allow-run=cat server.ts 127.0.0.1:0 " +
      "--timeout 50ms --reply 'it'\\''s here'\n",
  );
  await using program = new Program("server.ts", args, {
    flags: ["--allow-net=127.0.0.1"],
  });
  assertEquals((await program.ended()).code, 3);
});

Deno.test("server that only receives needs the permission for one port", async () => {
  const { stderr } = await run("server.ts", ["0.0.0.0:62000"]);
  assertEquals(
    stderr,
    "Cannot listen on udp://0.0.0.0:62000 without permission; run: " +
      "deno run --allow-net=0.0.0.0:62000 --allow-run=cat server.ts 0.0.0.0:62000\n",
  );
});

Deno.test("server --help fits one screen, --version is one line", async () => {
  const help = await run("server.ts", ["--help"], { flags: [] });
  assertEquals([help.code, help.stderr], [0, ""]);
  const lines = help.stdout.trimEnd().split("\n");
  assert(lines.length <= 32, `${lines.length} lines`);
  assert(lines.every((line) => line.length <= 80));
  const version = await run("server.ts", ["--version"], { flags: [] });
  assertMatch(version.stdout, /^pli \d+\.\d+\.\d+\n$/);
});

Deno.test("server colors its output on a terminal only, and not if NO_COLOR is set", async () => {
  for (
    const [env, colored] of [["-u NO_COLOR", true], ["NO_COLOR=1", false]]
  ) {
    const command = `env ${env} '${Deno.execPath()}' run --no-prompt ` +
      "--allow-net=127.0.0.1 server.ts 127.0.0.1:0 --once";
    await using terminal = new Deno.Command("script", {
      args: ["-qec", command, "/dev/null"],
      env: { TERM: "xterm" },
      stdin: "null",
      stdout: "piped",
    }).spawn();
    let screen = "";
    for await (
      const text of terminal.stdout.pipeThrough(new TextDecoderStream())
    ) {
      screen += text;
      const address = /listening on (\S+)/.exec(screen)?.[1];
      if (address === undefined || screen.includes("hello")) continue;
      await using client = await connect(address);
      await client.send("hello");
    }
    assertEquals(screen.includes("\x1b[36mudp:"), colored, screen);
    assertStringIncludes(screen, "hello");
  }
});
