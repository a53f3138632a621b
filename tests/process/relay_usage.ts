import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { bind, connect, serve } from "../../mod.ts";
import { SOON } from "../support/helpers.ts";
import { Program, run } from "./support/programs.ts";

const RELAY = "lib/programs/relay.ts";

Deno.test("relay on a port in use exits 2 and names the port", async () => {
  await using socket = bind("udp://127.0.0.1:0");
  const { port } = socket.addr;
  const { code, stderr } = await run(RELAY, [
    ...["--listen", `127.0.0.1:${port}`, "--to", "127.0.0.1:9"],
  ]);
  assertEquals(code, 2);
  assertEquals(
    stderr,
    `Cannot bind udp://127.0.0.1:${port}: Address already in use (os error 98)\n`,
  );
});

Deno.test("relay to an unknown host exits 2 with one line", async () => {
  const { code, stderr } = await run(RELAY, [
    ...["--listen", ":0", "--to", "no-such.invalid:9"],
  ], { flags: ["--allow-net"] });
  assertEquals(code, 2);
  assertEquals(
    stderr,
    "Cannot connect to udp://no-such.invalid:9: unknown host\n",
  );
});

const ENDS = ["--listen", ":0", "--to", ":9"];
const WRONG: [string[], string][] = [
  [[], "--listen is missing, such as 127.0.0.1:7000"],
  [["--listen", ":0"], "--to is missing, such as 127.0.0.1:7000"],
  [["--to", ":9"], "--listen is missing"],
  [
    ["--listen", "unix:/tmp/x", "--to", ":9"],
    '--listen "unix:/tmp/x": a relay',
  ],
  [["--listen", ":0", "--to", "unix:/tmp/x"], '--to "unix:/tmp/x": a relay'],
  [["--listen", ":0", "--to", "tcp://[::1]:9"], "a relay"],
  [[...ENDS, "x"], 'unexpected argument "x"'],
  [[...ENDS, "--nonsense"], 'unknown option "--nonsense"'],
  [[...ENDS, "--loss", "10"], '--loss "10": must be from 0% to 100%'],
  [[...ENDS, "--loss", "101%"], '--loss "101%": must be from 0% to 100%'],
  [[...ENDS, "--loss", "\x1b[2J"], '--loss "\\x1b[2J": must be from 0%'],
  [[...ENDS, "--delay", "80ms..20ms"], '--delay "80ms..20ms": must be a time'],
  [[...ENDS, "--bandwidth", "1"], '--bandwidth "1": must be bits per second'],
  [[...ENDS, "--queue", "5"], "--queue needs --bandwidth"],
  [[...ENDS, "--mtu", "0"], '--mtu "0": must be a whole number from 1'],
  [[...ENDS, "--burst", "1%"], '--burst "1%": must be the percentages'],
  [[...ENDS, "--delay", "5ms:0"], '--delay "5ms:0": must be a time'],
  [[...ENDS, "--up", ""], "--up: give faults, such as loss=10%,delay=20ms"],
  [[...ENDS, "--up", "loss"], "--up: loss needs a value"],
  [[...ENDS, "--down", "los=1%"], '--down: there is no fault "los"; there are'],
  [[...ENDS, "--down", "loss=5"], '--down: loss "5": must be from 0% to 100%'],
  [[...ENDS, "--down", "queue=5"], "--down: queue needs bandwidth"],
  [[...ENDS, "--up", "loss=1%", "--up", "mtu=9"], "--up is given twice"],
  [[...ENDS, "--seed", "-1"], '--seed "-1": must be a whole number from 0'],
  [[...ENDS, "--idle", "0ms"], '--idle "0ms": must be a time'],
  [[...ENDS, "--max-sessions", "0"], "must be a whole number from 1"],
  [[...ENDS, "--stats-every", "1"], '--stats-every "1": must be a time'],
  [[...ENDS, "--format", "xml"], "must be one of text, json"],
  [[...ENDS, "--quiet", "--stats-every", "1s"], "--quiet and --stats-every"],
  [[...ENDS, "--loss", "1%", "--loss", "2%"], "--loss is given twice"],
];
for (const [args, says] of WRONG) {
  Deno.test(`relay ${JSON.stringify(args)} exits 1 with one line`, async () => {
    const { code, stdout, stderr } = await run(RELAY, args);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^[^\n]+\(see: deno task relay --help\)\n$/);
    assertStringIncludes(stderr, says);
  });
}

for (
  const [listen, to, says] of [
    ["nonsense", ":9", 'Invalid address "nonsense": '],
    [":0", ":0", "nothing can be sent to port 0"],
    [":0", "127.255.255.255:9", "127.255.255.255 is a broadcast address"],
    [":62000", "127.0.0.1:62000", "a relay to itself would never end"],
  ] as const
) {
  Deno.test(`relay --listen ${listen} --to ${to} exits 1 with one line`, async () => {
    const args = ["--listen", listen, "--to", to];
    const flags = ["--allow-net"];
    const { code, stdout, stderr } = await run(RELAY, args, { flags });
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^[^\n]+\n$/);
    assertStringIncludes(stderr, says);
  });
}

const PERMISSIONS: [listen: string, to: string, needs: string][] = [
  ["127.0.0.1:7000", "127.0.0.1:62000", "--allow-net=127.0.0.1"],
  ["127.0.0.2:7000", ":9", "--allow-net=127.0.0.2,127.0.0.1"],
  [":7000", "10.0.0.1:9", "--allow-net=127.0.0.1,0.0.0.0:0,10.0.0.1:9"],
  [":7000", "[::1]:9", "'--allow-net=127.0.0.1,[::1]:0,[::1]:9'"],
  ["0.0.0.0:7000", ":9", "--allow-net"],
  [":7000", "example.org:9", "--allow-net"],
];
for (const [listen, to, needs] of PERMISSIONS) {
  Deno.test(`relay from ${listen} to ${to} without permission prints the command`, async () => {
    const args = ["--listen", listen, "--to", to, "--loss", "10%"];
    const { code, stdout, stderr } = await run(RELAY, args, { flags: [] });
    assertEquals([code, stdout], [2, ""]);
    const typed = args.join(" ").replace(/\S*\[\S+/, "'$&'");
    assertMatch(
      stderr,
      /^Cannot relay from udp:\/\/\S+ to udp:\/\/\S+ without /,
    );
    assert(
      stderr.endsWith(
        ` run: deno run ${needs} --allow-run=cat ${RELAY} ${typed}\n`,
      ),
      stderr,
    );
  });
}

Deno.test("relay runs with the permissions that it asks for", async () => {
  await using server = serve("udp://127.0.0.1:0", ({ data }) => data);
  const { port } = server.addr;
  await using relay = new Program(RELAY, [
    ...["--listen", ":0", "--to", `:${port}`],
  ], { flags: ["--allow-net=127.0.0.1"] });
  const [, address = ""] = await relay.said(/^relaying (\S+) to/);
  await using client = await connect(address);
  assertEquals((await client.request("ping", SOON)).text(), "ping");
});

Deno.test("relay --help fits one screen, --version is one line", async () => {
  const help = await run(RELAY, ["--help"], { flags: [] });
  assertEquals([help.code, help.stderr], [0, ""]);
  const lines = help.stdout.trimEnd().split("\n");
  assert(lines.length <= 24, `${lines.length} lines`);
  assert(lines.every((line) => line.length <= 80));
  const version = await run(RELAY, ["--version"], { flags: [] });
  assertMatch(version.stdout, /^pli \d+\.\d+\.\d+\n$/);
});
