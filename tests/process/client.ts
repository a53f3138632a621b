import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { bind, type Datagram, type DatagramSocket, serve } from "../../mod.ts";
import { Program, run, type Start } from "./support/programs.ts";

const ONE_LINE = /^[^\n]+\n$/;

/** Runs the client, to a socket of the test. */
function send(
  { addr: { port } }: { addr: Deno.NetAddr },
  args: string[],
  stdin?: Start["stdin"],
) {
  return run("client.ts", ["--to", `127.0.0.1:${port}`, ...args], { stdin });
}

async function receiveAll(socket: DatagramSocket): Promise<Datagram[]> {
  const datagrams = [];
  let datagram;
  while ((datagram = await socket.tryReceive()) !== undefined) {
    datagrams.push(datagram);
  }
  return datagrams;
}

async function textsAt(socket: DatagramSocket): Promise<string[]> {
  return (await receiveAll(socket)).map((datagram) => datagram.text());
}

Deno.test("client sends each argument as one message", async () => {
  await using socket = bind("127.0.0.1:0");
  const { code, stdout, stderr } = await send(socket, ["a", "b c", "", "007"]);
  assertEquals([code, stdout], [0, ""]);
  assertEquals(await textsAt(socket), ["a", "b c", "", "007"]);
  assertEquals(stderr, "sent 4 messages (7 bytes)\n");
});

Deno.test("client sends each line of standard input as one message", async () => {
  await using socket = bind("127.0.0.1:0");
  const { code } = await send(socket, [], "a\nb\r\n\nlast");
  assertEquals(code, 0);
  assertEquals(await textsAt(socket), ["a", "b", "", "last"]);
});

Deno.test("client sends the bytes of lines as they are", async () => {
  await using socket = bind("127.0.0.1:0");
  await send(socket, [], new Uint8Array([0xff, 0x00, 0x0a, 0xfe]));
  const datagrams = await receiveAll(socket);
  assertEquals(
    datagrams.map(({ data }) => Array.from(data)),
    [[0xff, 0x00], [0xfe]],
  );
});

Deno.test("client reads a file on standard input as it reads a pipe", async () => {
  await using socket = bind("127.0.0.1:0");
  const { port } = socket.addr;
  const script = '"$0" run --no-prompt --allow-net=127.0.0.1 client.ts ' +
    `--to 127.0.0.1:${port} < LICENSE`;
  const { code } = await new Deno.Command("sh", {
    args: ["-c", script, Deno.execPath()],
    stderr: "null",
  }).output();
  assertEquals(code, 0);
  const license = await Deno.readTextFile("LICENSE");
  assertEquals(await textsAt(socket), license.trimEnd().split("\n"));
});

Deno.test("client refuses a line that is too long by its number, and sends the others", async () => {
  await using socket = bind("127.0.0.1:0");
  const lines = ["a", "x".repeat(65_508), "b", "y".repeat(1_000_000), "c"];
  const { code, stderr } = await send(socket, [], lines.join("\n"));
  assertEquals(code, 4);
  assertEquals(await textsAt(socket), ["a", "b", "c"]);
  assertMatch(
    stderr,
    /^line 2 was not sent: too long: 65508 bytes, at most 65507$/m,
  );
  assertMatch(
    stderr,
    /^line 4 was not sent: too long: 1000000 bytes, at most 65507$/m,
  );
  assertStringIncludes(stderr, "sent 3 messages (3 bytes)");
});

Deno.test("client --hex sends bytes, and refuses text that is not hexadecimal", async () => {
  await using socket = bind("127.0.0.1:0");
  assertEquals((await send(socket, ["--hex", "00ff", "0a 0B"])).code, 0);
  assertEquals(
    (await receiveAll(socket)).map(({ data }) => Array.from(data)),
    [[0x00, 0xff], [0x0a, 0x0b]],
  );
  const wrong = await send(socket, ["--hex", "00", "0g"]);
  assertEquals(wrong.code, 1);
  assertStringIncludes(wrong.stderr, '"0g" is not hexadecimal');
  const lines = await send(socket, ["--hex"], "01\nzz\n02\n");
  assertEquals(lines.code, 4);
  assertStringIncludes(lines.stderr, "line 2 was not sent: not hexadecimal");
  assertEquals(
    (await receiveAll(socket)).map(({ data }) => Array.from(data)),
    [[0x01], [0x02]],
  );
});

Deno.test("client --file sends a file's bytes as one message, with its permission", async () => {
  await using socket = bind("127.0.0.1:0");
  const args = ["--to", `127.0.0.1:${socket.addr.port}`, "--file", "LICENSE"];
  const refused = await run("client.ts", args);
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.stderr, "--allow-read=LICENSE client.ts");
  const flags = ["--allow-net=127.0.0.1", "--allow-read=LICENSE"];
  assertEquals((await run("client.ts", args, { flags })).code, 0);
  assertEquals(await textsAt(socket), [await Deno.readTextFile("LICENSE")]);
});

Deno.test("client --file refuses a file that is too long, or does not exist", async () => {
  await using socket = bind("127.0.0.1:0");
  const to = ["--to", `127.0.0.1:${socket.addr.port}`];
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, new Uint8Array(65_508));
    const flags = ["--allow-net=127.0.0.1", "--allow-read"];
    const long = await run("client.ts", [...to, "--file", path], { flags });
    assertEquals(long.code, 4);
    assertStringIncludes(
      long.stderr,
      `"${path}" was not sent: too long: 65508 bytes, at most 65507\n`,
    );
    const missing = await run("client.ts", [...to, "--file", "/no/such"], {
      flags,
    });
    assertEquals(missing.code, 1);
    assertMatch(missing.stderr, ONE_LINE);
    assertStringIncludes(missing.stderr, 'Cannot read "/no/such": No such');
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("client --file - sends standard input as one message, and needs no permission", async () => {
  await using socket = bind("127.0.0.1:0");
  for (const input of ["two\nlines\0\r\n", ""]) {
    const { code, stderr } = await send(socket, ["--file", "-"], input);
    assertEquals([code, (await socket.receive()).text()], [0, input], stderr);
  }
  assertEquals(await textsAt(socket), []);
});

Deno.test("client --file - refuses input that is too long without waiting for its end", async () => {
  await using socket = bind("127.0.0.1:0");
  const input = new TransformStream<Uint8Array, Uint8Array>();
  const writer = input.writable.getWriter();
  const running = send(socket, ["--file", "-"], input.readable);
  await writer.write(new Uint8Array(65_508));
  const { code, stderr } = await running;
  await writer.close().catch(() => {});
  assertEquals(code, 4);
  assertStringIncludes(
    stderr,
    "standard input was not sent: too long: at most 65507 bytes\n",
  );
  assertEquals(await textsAt(socket), []);
});

Deno.test("client --wait prints the reply to each message", async () => {
  await using server = serve("127.0.0.1:0", (d) => `re: ${d.text()}`);
  const text = await send(server, ["--wait", "a", "b"]);
  assertEquals(text.code, 0);
  assertMatch(text.stdout, / {2}5 bytes {2}re: a\n.* {2}5 bytes {2}re: b\n$/);
  const raw = await send(server, ["--wait", "--format", "raw", "a", "b"]);
  assertEquals(raw.stdout, "re: are: b");
});

Deno.test("client --wait exits 3 if no reply comes in time", async () => {
  await using socket = bind("127.0.0.1:0");
  const { code, stdout, stderr } = await send(socket, [
    "--wait",
    "--timeout",
    "50ms",
    "x",
  ]);
  assertEquals([code, stdout], [3, ""]);
  assertMatch(stderr, /^message 1: .*: no reply within 50 ms$/m);
  assertStringIncludes(stderr, "1 without a reply");
});

Deno.test("client --wait --retries sends again until a reply comes", async () => {
  let seen = 0;
  await using server = serve(
    "127.0.0.1:0",
    () => ++seen < 3 ? undefined : "ok",
  );
  const { code, stdout } = await send(server, [
    "--wait",
    "--timeout",
    "50ms",
    "--retries",
    "9",
    "--format",
    "raw",
    "x",
  ]);
  assertEquals([code, stdout], [0, "ok"]);
});

Deno.test("client --wait does not take a late reply for the next message's", async () => {
  // The first message is answered when the second comes, ahead of its own reply.
  await using socket = bind("127.0.0.1:0");
  const sending = send(socket, [
    "--wait",
    "--timeout",
    "100ms",
    "--format",
    "raw",
    "one",
    "two",
    "three",
  ]);
  const first = await socket.receive();
  const second = await socket.receive();
  await socket.send("re: one", first.from);
  await socket.send("re: two", second.from);
  const third = await socket.receive();
  await socket.send("re: three", third.from);
  const { code, stdout } = await sending;
  // Without a number in the messages nothing tells the first two apart, but the
  // one that is left over does not become the third's.
  assertEquals(code, 3);
  assertEquals(stdout, "re: onere: three");
});

for (const rate of ["500", "500.5", "500/s", "30000/m"]) {
  Deno.test(`client --repeat N sends each message N times, also at --rate ${rate}`, async () => {
    await using socket = bind("127.0.0.1:0");
    const args = ["--repeat", "3", "--rate", rate, "a", "b"];
    assertEquals((await send(socket, args)).code, 0);
    assertEquals(await textsAt(socket), ["a", "a", "a", "b", "b", "b"]);
  });
}

Deno.test("client --rate 0.001 sends the first message at once, and ends on Ctrl-C", async () => {
  await using socket = bind("127.0.0.1:0");
  const { port } = socket.addr;
  const args = ["--to", `127.0.0.1:${port}`, "--rate", "0.001", "a", "b"];
  await using program = new Program("client.ts", args);
  assertEquals((await socket.receive()).text(), "a");
  program.kill("SIGINT");
  const { code, stderr } = await program.ended();
  assertEquals(
    [code, stderr],
    [0, "not sent: 1 message\nsent 1 message (1 byte)\n"],
  );
});

Deno.test("client exits 4 if a message could not be sent, even if a reply is missing too", async () => {
  await using socket = bind("127.0.0.1:0");
  const { code, stderr } = await send(socket, [
    "--wait",
    "--timeout",
    "50ms",
    "x".repeat(65_508),
    "a",
  ]);
  assertEquals(code, 4);
  assertStringIncludes(stderr, "message 1: Cannot send 65508 bytes");
  assertStringIncludes(stderr, "message 2: ");
});

Deno.test("client --file - exits 0 on Ctrl-C while it waits for the end of input", async () => {
  await using socket = bind("tcp://127.0.0.1:0");
  const input = new TransformStream<Uint8Array, Uint8Array>();
  await using program = new Program("client.ts", [
    ...["--to", `tcp://127.0.0.1:${socket.addr.port}`],
    ...["--file", "-"],
  ], { stdin: input.readable });
  const writer = input.writable.getWriter();
  // More than a pipe holds, so that it is being read.
  for (let n = 0; n < 5; n++) await writer.write(new Uint8Array(200_000));
  program.kill("SIGINT");
  const { code, stderr } = await program.ended();
  assertEquals(code, 0);
  assertStringIncludes(stderr, "sent 0 messages (0 bytes)\n");
  await writer.close().catch(() => {});
});

Deno.test("client prints its totals and exits 0 on Ctrl-C while it waits for input", async () => {
  await using socket = bind("127.0.0.1:0");
  const input = new TransformStream<Uint8Array, Uint8Array>();
  await using program = new Program(
    "client.ts",
    ["--to", `127.0.0.1:${socket.addr.port}`],
    { stdin: input.readable },
  );
  const writer = input.writable.getWriter();
  await writer.write(new TextEncoder().encode("a\n"));
  assertEquals((await socket.receive()).text(), "a");
  program.kill("SIGINT");
  const { code, stderr } = await program.ended();
  assertEquals([code, stderr], [0, "sent 1 message (1 byte)\n"]);
  await writer.close().catch(() => {});
});

Deno.test("client says on a terminal where lines are sent", async () => {
  await using socket = bind("127.0.0.1:0");
  const { port } = socket.addr;
  const command = `'${Deno.execPath()}' run --no-prompt ` +
    `--allow-net=127.0.0.1 client.ts --to 127.0.0.1:${port}`;
  await using terminal = new Deno.Command("script", {
    args: ["-qec", command, "/dev/null"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const keyboard = terminal.stdin.getWriter();
  await keyboard.write(new TextEncoder().encode("typed\n"));
  assertEquals((await socket.receive()).text(), "typed");
  await keyboard.write(new Uint8Array([0x04]));
  await keyboard.close();
  const screen = await new Response(terminal.stdout).text();
  assertStringIncludes(
    screen,
    `each line is sent to udp://127.0.0.1:${port}; Ctrl-D ends the input`,
  );
});

const WRONG: [string[], string][] = [
  [
    ["--nonsense", "x"],
    'unknown option "--nonsense"; a message that begins with a dash goes after --',
  ],
  [["--to"], "--to needs a value"],
  [["--timeout", "1s", "x"], "--timeout needs --wait"],
  [["--retries", "1", "x"], "--retries needs --wait"],
  [["--format", "raw", "x"], "--format needs --wait"],
  [["--wait", "--timeout", "abc", "x"], '--timeout "abc": must be a time'],
  [
    ["--wait", "--retries", "-1", "x"],
    '--retries "-1": must be a whole number',
  ],
  [["--repeat", "0", "x"], '--repeat "0": must be a whole number from 1'],
  [
    ["--rate", "fast", "x"],
    '--rate "fast": must be a rate, such as 1000/s or 60/m',
  ],
  [["--rate", "0", "x"], '--rate "0": must be a rate'],
  [["--file", "LICENSE", "x"], "--file and messages: give one of them"],
  [["--file", "LICENSE", "--hex"], "--file and --hex: give one of them"],
  [["--to", "unix:/tmp/x", "--wait", "x"], "a unix: server cannot reply"],
  [["--file", ""], '--file "": must be a path'],
];
for (const [args, says] of WRONG) {
  Deno.test(`client ${JSON.stringify(args)} exits 1 with one line`, async () => {
    const { code, stdout, stderr } = await run("client.ts", args);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, ONE_LINE);
    assertStringIncludes(stderr, says);
    assertStringIncludes(stderr, "see: deno task client --help");
  });
}

for (const address of [":0", "", "127.0.0.1:99999", "255.255.255.255:9"]) {
  Deno.test(`client --to ${JSON.stringify(address)} exits 1 with one line`, async () => {
    const { code, stderr } = await run(
      "client.ts",
      ["--to", address, "x"],
      { flags: ["--allow-net"] },
    );
    assertEquals(code, 1);
    assertMatch(stderr, ONE_LINE);
    assertStringIncludes(stderr, address);
  });
}

Deno.test("client to an unknown host exits 2 with one line", async () => {
  const { code, stderr } = await run(
    "client.ts",
    ["--to", "no-such.invalid:9", "x"],
    { flags: ["--allow-net"] },
  );
  assertEquals(code, 2);
  assertEquals(
    stderr,
    "Cannot connect to udp://no-such.invalid:9: unknown host\n",
  );
});

Deno.test("client without permission prints a command that works", async () => {
  await using socket = bind("127.0.0.1:0");
  const { port } = socket.addr;
  const args = ["--to", `127.0.0.1:${port}`, "--", "-x"];
  const { code, stderr } = await run("client.ts", args, { flags: [] });
  assertEquals(code, 2);
  const flag = `--allow-net=127.0.0.1:0,127.0.0.1:${port}`;
  assertEquals(
    stderr,
    `Cannot send to udp://127.0.0.1:${port} without permission; run: ` +
      `deno run ${flag} client.ts --to 127.0.0.1:${port} -- -x\n`,
  );
  assertEquals((await run("client.ts", args, { flags: [flag] })).code, 0);
  assertEquals(await textsAt(socket), ["-x"]);
});

Deno.test("client reaches localhost and [::1] with the permissions of its task", async () => {
  for (const host of ["localhost", "[::1]"]) {
    await using socket = bind(`udp://${host}:0`);
    const to = ["--to", `${host}:${socket.addr.port}`];
    const { code, stderr } = await run("client.ts", [...to, "x"]);
    assertEquals(code, 0, stderr);
    assertEquals(await textsAt(socket), ["x"]);
  }
});

Deno.test("client --help fits one screen, --version is one line", async () => {
  const help = await run("client.ts", ["--help"], { flags: [] });
  assertEquals([help.code, help.stderr], [0, ""]);
  const lines = help.stdout.trimEnd().split("\n");
  assert(lines.length <= 32, `${lines.length} lines`);
  assert(lines.every((line) => line.length <= 80));
  const version = await run("client.ts", ["--version"], { flags: [] });
  assertMatch(version.stdout, /^pli \d+\.\d+\.\d+\n$/);
});
