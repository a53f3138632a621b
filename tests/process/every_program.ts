/** The promises that all programs share. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { bind } from "../../mod.ts";
import { Process, Program, run, startServer } from "./support/programs.ts";

const PROGRAMS = {
  server: "server.ts",
  client: "client.ts",
  relay: "lib/programs/relay.ts",
  measure: "lib/programs/measure.ts",
  reflect: "lib/programs/reflect.ts",
  cert: "lib/programs/cert.ts",
  history: "lib/programs/history.ts",
  replay: "lib/programs/replay.ts",
  demo: "lib/programs/demo.ts",
};

for (const [name, script] of Object.entries(PROGRAMS)) {
  Deno.test(`${name} -h is --help, without any permission`, async () => {
    const flags: string[] = [];
    const [short, long] = await Promise.all([
      run(script, ["-h"], { flags }),
      run(script, ["--help"], { flags }),
    ]);
    assertEquals([short.code, short.stderr], [0, ""]);
    assertMatch(short.stdout, new RegExp(`^Usage: deno task ${name}`, "m"));
    assertEquals(short.stdout, long.stdout);
    for (const line of short.stdout.split("\n")) {
      assert(line.length <= 80, line);
    }
  });
}

Deno.test("only the client explains that messages may begin with a dash", async () => {
  for (const [name, script] of Object.entries(PROGRAMS)) {
    const { code, stderr } = await run(script, ["--nonsense"], { flags: [] });
    assertEquals(code, 1);
    assertMatch(stderr, /^unknown option "--nonsense"/);
    assertEquals(/ after --/.test(stderr), name === "client", stderr);
  }
});

Deno.test("every program refuses arguments that are not UTF-8, and the client says what would do", async () => {
  const type = 'exec "$@" "$(printf "caf\\351")"';
  for (const [name, script] of Object.entries(PROGRAMS)) {
    const under = ["sh", "-c", type, "sh"];
    const { code, stderr } = await run(script, [], { flags: [], under });
    const others = name === "client"
      ? "; give other bytes by --hex, --file or standard input"
      : "";
    assertEquals([code, stderr], [
      1,
      `argument "caf\ufffd": must be UTF-8, without U+FFFD${others} (see: deno task ${name} --help)\n`,
    ]);
  }
});

Deno.test("a secret that is not UTF-8 is refused, and never printed", async () => {
  const under = (word: string) => ["sh", "-c", `${word}; exec "$@"`, "sh"];
  const latin = 's3cret=$(printf "s3cret\\351")';
  const folder = await Deno.makeTempDir();
  const to = ["--to", "quic://127.0.0.1:9", "x"];
  for (
    const { args, shell, what } of [
      { args: to, shell: "export PLI_TOKEN=$s3cret", what: "PLI_TOKEN" },
      {
        args: ["--token-file", `${folder}/secret`, ...to],
        shell: `printf %s "$s3cret" > ${folder}/secret`,
        what: `"${folder}/secret"`,
      },
    ]
  ) {
    const { code, stdout, stderr } = await run("client.ts", args, {
      flags: ["-A"],
      under: under(`${latin}; ${shell}`),
    });
    assertEquals([code, stdout, stderr], [
      2,
      "",
      `Cannot use ${what}: it is not UTF-8\n`,
    ]);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("demo accepts no arguments", async () => {
  const { code, stderr } = await run(PROGRAMS.demo, ["x"], { flags: [] });
  assertEquals(
    [code, stderr],
    [1, 'unexpected argument "x" (see: deno task demo --help)\n'],
  );
});

for (
  const args of [
    ["server.ts", "127.0.0.1:0"],
    ["client.ts", "--to", "127.0.0.1:9", "--wait", "x"],
    [PROGRAMS.history, "messages.db"],
  ]
) {
  Deno.test(`${args[0]} --format raw does not write to a terminal`, async () => {
    const command = [Deno.execPath(), "run", "--no-prompt", ...args];
    await using terminal = new Process("script", [
      "-qec",
      `${command.join(" ")} --format raw`,
      "/dev/null",
    ]);
    const { code, stdout } = await terminal.ended();
    assertEquals(code, 1);
    assertMatch(
      stdout,
      /^--format raw does not write to a terminal[^\n]*--help\)\r\n$/,
    );
  });
}

Deno.test("a client whose standard error cannot be written sends its message", async () => {
  await using socket = bind("127.0.0.1:0");
  const { port } = socket.addr;
  await using shell = new Process("sh", [
    ...["-c", 'exec "$@" 2>/dev/full', "sh", Deno.execPath(), "run"],
    ...["--no-prompt", "--allow-net=127.0.0.1", "client.ts"],
    ...["--to", `127.0.0.1:${port}`, "Bonjour"],
  ]);
  assertEquals((await shell.ended()).code, 0);
  assertEquals((await socket.receive()).text(), "Bonjour");
});

Deno.test("server and client --trace log each datagram on standard error", async () => {
  await using server = await startServer(["--trace", "--once", "--echo"]);
  const to = ["--to", server.address, "--trace", "--wait", "--timeout", "30s"];
  const { code, stdout, stderr } = await run("client.ts", [...to, "ping\n"]);
  assertEquals(code, 0);
  assertMatch(stdout, / {2}ping\\n\n$/);
  assertMatch(
    stderr,
    / → udp:\/\/127\.0\.0\.1:\d+ {2}5 bytes {2}"ping\\n"$/m,
  );
  assertMatch(
    stderr,
    / ← udp:\/\/127\.0\.0\.1:\d+ {2}5 bytes {2}"ping\\n"$/m,
  );
  const ended = await server.ended();
  assertMatch(ended.stdout, / {2}ping\\n\n$/);
  assertMatch(ended.stderr, / ← udp:\S+ {2}5 bytes {2}"ping\\n"$/m);
  assertMatch(ended.stderr, / → udp:\S+ {2}5 bytes {2}"ping\\n"$/m);
});

Deno.test("a server or a relay that cannot count the system's drops says so", async () => {
  for (
    const [flags, text, json] of [
      [[], "dropped by the system: unknown (needs --allow-run=cat)", null],
      [["--allow-run=cat"], "0 dropped by the system", 0],
    ] as const
  ) {
    const start = { flags: ["--allow-net=127.0.0.1", ...flags] };
    const args = ["127.0.0.1:0", "--timeout", "50ms"];
    const { stderr } = await run("server.ts", args, start);
    assert(stderr.endsWith(`received 0 messages (0 bytes), ${text}\n`), stderr);
    const stats = await run("server.ts", [...args, "--format", "json"], start);
    const line = stats.stderr.trimEnd().split("\n").at(-1)!;
    assertEquals(JSON.parse(line).kernelDrops, json);
    const dropped = text.replace("0 dropped", "0 datagrams dropped");
    const ends = ["--listen", ":0", "--to", ":9", "--format"];
    for (const format of ["text", "json"]) {
      await using relay = new Program(PROGRAMS.relay, [...ends, format], start);
      await relay.said(/^relaying /);
      relay.kill("SIGINT");
      const { stdout, stderr } = await relay.ended();
      if (format === "text") assert(stderr.endsWith(`, ${dropped}\n`), stderr);
      else assertEquals(JSON.parse(stdout).kernelDrops, json);
    }
  }
});

Deno.test("a server over tcp has no drops of the system to count", async () => {
  const args = ["tcp://127.0.0.1:0", "--timeout", "50ms"];
  const { stderr } = await run("server.ts", args);
  assert(stderr.endsWith("received 0 messages (0 bytes)\n"), stderr);
  const json = await run("server.ts", [...args, "--format", "json"]);
  assertEquals(json.stderr.includes("kernelDrops"), false);
});
