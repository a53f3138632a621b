/** How the client waits for replies, repeats, and ends. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { bind, serve } from "../../mod.ts";
import { send, textsAt } from "./support/clients.ts";
import { Program, run } from "./support/programs.ts";

// Ends the first of the waits for an hour at once, and no other.
const FIRST_HOUR = `data:text/javascript,${
  encodeURIComponent(`
    const { setTimeout } = globalThis;
    let hours = 0;
    globalThis.setTimeout = (callback, ms, ...args) =>
      setTimeout(callback, ms > 3e6 && hours++ === 0 ? 1 : ms, ...args);`)
}`;

Deno.test("client --wait prints the reply to each message", async () => {
  await using server = serve("127.0.0.1:0", (d) => `re: ${d.text()}`);
  const wait = ["--wait", "--timeout", "30s"];
  const text = await send(server, [...wait, "a", "b"]);
  assertEquals(text.code, 0);
  assertMatch(text.stdout, / {2}5 bytes {2}re: a\n.* {2}5 bytes {2}re: b\n$/);
  const raw = await send(server, [...wait, "--format", "raw", "a", "b"]);
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
    "1000",
    "--format",
    "raw",
    "x",
  ]);
  assertEquals([code, stdout], [0, "ok"]);
});

Deno.test("client --backoff waits longer each time, and says how long in all", async () => {
  await using socket = bind("127.0.0.1:0");
  const { code, stderr } = await send(socket, [
    ...["--wait", "--timeout", "10ms", "--retries", "2", "--backoff", "x"],
  ]);
  assertEquals(code, 3);
  const [_, ms] = /: no reply within (\d+) ms in all, sent 3 times$/m
    .exec(stderr) ?? [];
  // 10, 20 and 40 ms, each up to one half longer.
  assert(Number(ms) >= 70 && Number(ms) <= 105, stderr);
});

Deno.test("client --wait does not take a late reply for the next message's", async () => {
  // The first message is answered when the second comes, ahead of its own reply.
  await using socket = bind("127.0.0.1:0");
  const { port } = socket.addr;
  const args = ["--wait", "--timeout", "1h", "--format", "raw"];
  const messages = ["one", "two", "three"];
  const sending = run("client.ts", [
    ...["--to", `127.0.0.1:${port}`, ...args, ...messages],
  ], { flags: ["--allow-net=127.0.0.1", "--preload", FIRST_HOUR] });
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
