import { assertEquals } from "@std/assert";
import { run } from "./support/programs.ts";

for (
  const [which, args, net, denied] of [
    ["for a host", [], "--allow-net=127.0.0.1", "NotCapable"],
    ["for all hosts", ["all"], "--allow-net", "sent"],
    [
      ...["for all hosts but one", ["all"]] as const,
      ...["--allow-net --deny-net=127.0.0.9", "NotCapable"] as const,
    ],
  ] as const
) {
  Deno.test(`a permission ${which} that is revoked stops each kind of send at once`, async () => {
    const script = "tests/process/support/offload_permissions.ts";
    const { code, stdout, stderr } = await run(script, [...args], {
      flags: [...net.split(" "), "--allow-ffi"],
    });
    assertEquals([code, stderr], [0, ""]);
    assertEquals(JSON.parse(stdout), {
      before: ["sent", "sent", "sent", "sent"],
      denied,
      after: ["NotCapable", "NotCapable", "AggregateError", "AggregateError"],
      other: "NotCapable",
      received: 5,
    });
  });
}
