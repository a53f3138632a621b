/** Faults of the program `relay` that change while it runs. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect, serve } from "../../mod.ts";
import { Program } from "./support/programs.ts";

const RELAY = "lib/programs/relay.ts";
const SOON = { timeoutMs: 30_000 };
const encoder = new TextEncoder();

/** A relay whose standard input is written line by line. */
async function startRelay(to: Deno.NetAddr, ...args: string[]) {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const input = writable.getWriter();
  const server = `127.0.0.1:${to.port}`;
  const program = new Program(
    RELAY,
    ["--listen", "127.0.0.1:0", "--to", server, ...args],
    { stdin: readable },
  );
  const [, address = ""] = await program.said(/^relaying (\S+) to /);
  return Object.assign(program, {
    address,
    type: (line: string) => input.write(encoder.encode(`${line}\n`)),
    end: () => input.close(),
  });
}

Deno.test("relay changes faults by lines on standard input, and says what holds then", async () => {
  await using server = serve("udp://127.0.0.1:0", ({ data }) => data);
  await using relay = await startRelay(
    server.addr,
    ...["--up", "loss=100%", "--stats-every", "20ms"],
  );
  await using client = await connect(relay.address);
  await client.send("lost on the way up");
  await relay.said(/^up: received 1 datagram, forwarded 0, 1 lost$/);
  await relay.type("");
  await relay.said(/^faults: up loss=100%; down none$/);
  await relay.type("set up loss 0");
  await relay.said(/^faults: none$/);
  assertEquals((await client.request("passes", SOON)).text(), "passes");
  await relay.type("set down loss 100%");
  await relay.said(/^faults: up none; down loss=100%$/);
  await client.send("its reply is lost");
  await relay.said(/^down: received 2 datagrams, forwarded 1, 1 lost$/);
  await relay.type("set loss");
  await relay.said(/^set: loss needs a value$/);
  await relay.type("\x1b[2J\xff");
  await relay.said(/^"\\x1b\[2J.": no command; give one as set loss 10%/);
  await relay.type("set loss 0");
  await relay.said(/^faults: none$/);
  // The end of the input is no end of the relay.
  await relay.end();
  assertEquals((await client.request("again", SOON)).text(), "again");
  relay.kill("SIGINT");
  const { code, stderr } = await relay.ended();
  assertEquals(code, 0);
  assertStringIncludes(
    stderr,
    "\nup: received 4 datagrams, forwarded 3, 1 lost\n" +
      "down: received 3 datagrams, forwarded 2, 1 lost\n",
  );
});

Deno.test("relay --quiet says only which commands are wrong", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const input = writable.getWriter();
  await using relay = new Program(RELAY, [
    ...["--listen", "127.0.0.1:0", "--to", "127.0.0.1:9", "--quiet"],
  ], { stdin: readable });
  await input.write(encoder.encode("set loss 10%\nset loss 10\n"));
  await relay.said(/^set: loss "10": must be/);
  await input.close();
  relay.kill("SIGINT");
  const { code, stderr } = await relay.ended();
  assertEquals(code, 0);
  assertMatch(stderr, /^set: [^\n]+\n$/);
});

Deno.test("relay goes on after a flood of lines, of which none is text, and one never ends", async () => {
  await using server = serve("udp://127.0.0.1:0", ({ data }) => data);
  await using relay = await startRelay(server.addr);
  const junk = new Uint8Array(1_000_000).map((_, n) => n * 7 + (n >> 8));
  const line = new TextDecoder("latin1").decode(junk);
  for (let n = 0; n < 5; n++) await relay.type(line);
  await relay.type("x".repeat(20_000_000) + "\nset loss 0");
  await relay.said(/too long: 20000000 bytes, at most 1000$/);
  await relay.said(/^faults: none$/);
  await relay.end();
  await using client = await connect(relay.address);
  assertEquals((await client.request("passes", SOON)).text(), "passes");
});

Deno.test("relay with a closed standard input relays", async () => {
  await using server = serve("udp://127.0.0.1:0", ({ data }) => data);
  await using relay = new Program(RELAY, [
    ...["--listen", "127.0.0.1:0", "--to", `127.0.0.1:${server.addr.port}`],
  ], { under: ["sh", "-c", 'exec "$@" <&-', "sh"] });
  const [, address = ""] = await relay.said(/^relaying (\S+) to /);
  await using client = await connect(address);
  assertEquals((await client.request("passes", SOON)).text(), "passes");
  relay.kill("SIGINT");
  const { code, stderr } = await relay.ended();
  assertEquals(code, 0, stderr);
});

/** Runs a command on a terminal, and types whenever its screen shows something. */
async function screenOf(
  command: string,
  typed: [shown: RegExp, keys: string][],
): Promise<string> {
  await using terminal = new Deno.Command("script", {
    args: ["-qec", command, "/dev/null"],
    stdin: "piped",
    stdout: "piped",
    env: { SHELL: "/bin/bash" },
  }).spawn();
  const keyboard = terminal.stdin.getWriter();
  const decoder = new TextDecoder();
  const left = [...typed];
  let screen = "";
  for await (const bytes of terminal.stdout) {
    screen += decoder.decode(bytes, { stream: true });
    const [next] = left;
    if (next === undefined || !next[0].test(screen)) continue;
    left.shift();
    await keyboard.write(encoder.encode(next[1]));
  }
  await keyboard.close().catch(() => {});
  assertEquals(left, [], screen);
  return screen;
}

const RUN = `${Deno.execPath()} run --quiet --no-prompt ` +
  `--allow-net=127.0.0.1 --allow-run=cat ${RELAY} ` +
  "--listen 127.0.0.1:0 --to 127.0.0.1:9 --stats-every 50ms";

Deno.test("relay in the background of a terminal is not stopped", async () => {
  const screen = await screenOf(
    `bash -c 'set -m; ${RUN} & read -r; kill %1; wait %1; echo "exit $?"'`,
    [[/(?:up: .*\r\n.*\r\n.*\r\n){20}/, "\n"]],
  );
  assertMatch(screen, /exit 0\r\n$/);
});

Deno.test("relay in the foreground of a terminal obeys what is typed", async () => {
  const screen = await screenOf(RUN, [
    [/relaying /, "set loss 10%\n"],
    [/faults: loss=10%/, "\x03"],
  ]);
  assertMatch(screen, /faults: loss=10%\r\n/);
});
