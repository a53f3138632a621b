import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { run, startServer } from "./support/programs.ts";
import { counted, flags, test } from "./support/server_stores.ts";
import { idsIn, numbers } from "./support/stores.ts";

const START = { flags: ["--allow-net=127.0.0.1", "--allow-ffi"] };

Deno.test("server --fast and client --fast carry messages whole and in order", async () => {
  await using server = await startServer(
    ["--fast", "--count", "102", "--format", "raw"],
    START,
  );
  const to = ["--fast", "--to", server.address];
  assertEquals((await run("client.ts", [...to, "a", "b"], START)).code, 0);
  const many = await run("client.ts", [...to, "--repeat", "100", "x"], START);
  assertStringIncludes(many.stderr, "sent 100 messages (100 bytes)");
  const { code, stdout } = await server.ended();
  assertEquals([code, stdout], [0, "ab" + "x".repeat(100)]);
});

Deno.test("client --fast --wait receives the replies of server --fast", async () => {
  await using server = await startServer(["--fast", "--echo"], START);
  const args = ["--fast", "--to", server.address, "--wait", "--timeout", "30s"];
  const { code, stdout } = await run("client.ts", [
    ...[...args, "--format", "raw", "a", "b"],
  ], START);
  assertEquals([code, stdout], [0, "ab"]);
});

test("server --fast --store --count takes exactly so many of a run, and stores them", async (path) => {
  const { flags: stored = [] } = flags(path);
  await using server = await startServer(
    ["--fast", "--count", "200", "--format", "json", "--store", path],
    { flags: [...stored, "--allow-ffi"] },
  );
  const to = ["--fast", "--to", server.address];
  const client = run("client.ts", [...to, "--repeat", "1000", "x"], START);
  const ended = await server.ended();
  const { received, sinks } = counted(ended);
  assertEquals(received, 200);
  assertEquals(sinks.store, { stored: 200, waiting: 0, notStored: 0 });
  assertEquals(sinks.print.printed, 200);
  assertEquals(idsIn(path), numbers(1, 200));
  await client;
});

Deno.test("client --fast reports at once that nothing listens on the port", async () => {
  const args = ["--fast", "--to", "127.0.0.1:9", "--repeat", "3", "x"];
  const { code, stderr } = await run("client.ts", args, START);
  assertEquals(code, 4);
  assertStringIncludes(stderr, "Connection refused");
});

for (
  const [script, args] of [
    ["server.ts", ["127.0.0.1:0", "--fast", "--timeout", "50ms"]],
    ["client.ts", ["--to", "127.0.0.1:62001", "--fast", "x"]],
  ] as const
) {
  Deno.test(`${script} --fast without --allow-ffi prints the whole command, which works`, async () => {
    const { code, stderr } = await run(script, [...args]);
    assertEquals(code, 2);
    assertMatch(stderr, /^Cannot [^\n]* --allow-ffi [^\n]*\n$/);
    const [, flags = ""] = /run: deno run (.*) \w+\.ts/.exec(stderr) ?? [];
    const again = await run(script, [...args], { flags: flags.split(" ") });
    assertEquals(again.stderr.includes("permission"), false);
  });
}

Deno.test("--fast is refused for addresses other than udp://", async () => {
  const { code, stderr } = await run("server.ts", [
    "tcp://127.0.0.1:0",
    "--fast",
  ]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "--fast is for udp:// addresses");
});
