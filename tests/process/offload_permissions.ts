import { assertEquals } from "@std/assert";
import { run } from "./support/programs.ts";

Deno.test("a permission that is revoked stops each kind of send at once", async () => {
  const script = "tests/process/support/offload_permissions.ts";
  const { code, stdout, stderr } = await run(script, [], {
    flags: ["--allow-net=127.0.0.1", "--allow-ffi"],
  });
  assertEquals([code, stderr], [0, ""]);
  assertEquals(JSON.parse(stdout), {
    before: ["sent", "sent", "sent", "sent"],
    after: ["NotCapable", "NotCapable", "AggregateError", "AggregateError"],
    other: "NotCapable",
    received: 5,
  });
});
