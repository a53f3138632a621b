import { assert, assertEquals } from "@std/assert";
import { turn } from "../support/helpers.ts";
import { Program, run } from "./support/programs.ts";

const START = { flags: ["--allow-net=127.0.0.1"] };
const MAX_RSS = 200 * 1024 * 1024;

Deno.test("300 MB of lines that are too long, of 300 peers, are cut in bounded memory", async () => {
  const { stdout, stderr } = await run(
    "tests/process/support/tcp_flood.ts",
    [],
    START,
  );
  const { rss, dropped, ...counts } = JSON.parse(stdout || stderr);
  assertEquals(counts, { received: 300, truncated: 300, isQuiet: true });
  assertEquals(Object.values(dropped).every((n) => n === 0), true);
  assert(rss < MAX_RSS, `${rss} bytes resident`);
});

for (
  const [mode, what] of [
    ["bound", "is bound and does not receive"],
    ["unreferenced", "receives unreferenced"],
  ]
) {
  Deno.test(`a program ends although a TCP socket ${what}`, async () => {
    const { code, stdout } = await run(
      "tests/process/support/tcp_ends.ts",
      [mode!],
      START,
    );
    assertEquals([code, stdout], [0, "the end\n"]);
  });
}

Deno.test("a pending receive over TCP keeps the program running", async () => {
  const { code, stdout } = await run(
    "tests/process/support/tcp_ends.ts",
    ["waits"],
    START,
  );
  assertEquals([code, stdout], [0, "x\nthe end\n"]);
});

Deno.test("the server's totals count the replies that a deaf peer did not take", async () => {
  await using server = new Program("server.ts", [
    ...["tcp://127.0.0.1:0", "--echo", "--end-timeout", "1s"],
    ...["--format", "json", "--stats-every", "20ms"],
  ], START);
  const [, port] = await server.said(/^listening on tcp:\/\/127.0.0.1:(\d+)$/);
  using deaf = await Deno.connect({
    hostname: "127.0.0.1",
    port: Number(port),
  });
  const line = new TextEncoder().encode(`${"x".repeat(60_000)}\n`);
  // How often the server has turned since anything was taken by it or from it.
  let idle = 0;
  const writing = (async () => {
    const writer = deaf.writable.getWriter();
    for (;; idle = 0) await writer.write(line);
  })().catch(() => {});
  // When nothing more is taken from it, its replies wait.
  for (let last = ""; idle < 10;) {
    const [, received = ""] = await server.said(/"received":(\d+)/);
    await turn();
    idle = received === last ? idle + 1 : 0;
    last = received;
  }
  server.kill("SIGINT");
  const { code, stderr } = await server.ended();
  assertEquals(code, 0);
  const { dropped } = JSON.parse(stderr.trimEnd().split("\n").at(-1)!);
  assert(dropped.unsent > 0, stderr);
  await writing;
});
