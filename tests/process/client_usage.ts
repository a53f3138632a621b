/** What the client refuses, prints and needs. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { bind } from "../../mod.ts";
import { textsAt } from "./support/clients.ts";
import { run } from "./support/programs.ts";

const ONE_LINE = /^[^\n]+\n$/;

const WRONG: [string[], string][] = [
  [
    ["--nonsense", "x"],
    'unknown option "--nonsense"; a message that begins with a dash goes after --',
  ],
  [["--to"], "--to needs a value"],
  [["--timeout", "1s", "x"], "--timeout needs --wait"],
  [["--retries", "1", "x"], "--retries needs --wait"],
  [["--format", "raw", "x"], "--format needs --wait"],
  [["--wait", "--backoff", "x"], "--backoff needs --retries"],
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
