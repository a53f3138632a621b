import { assertEquals } from "@std/assert";
import { run } from "./support/programs.ts";

Deno.test("the core and the harness work without a global Deno", async () => {
  const { code, stdout, stderr } = await run(
    "tests/process/support/portable.ts",
    [],
    { flags: ["--allow-read"] },
  );
  assertEquals([stderr, stdout, code], [
    "",
    [
      "re: ping",
      "true TimedOut receive",
      "true SocketClosedError",
      "false",
      "",
    ].join("\n"),
    0,
  ]);
});
