import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../mod.ts";
import { Program } from "./support/programs.ts";

for (const by of ["batches", "runs", "hashes"]) {
  Deno.test(`examples/workers.ts shares a port among workers and adds up their counts, by ${by}`, async () => {
    await using workers = new Program("examples/workers.ts", [
      "udp://127.0.0.1:0",
      "2",
      by,
    ], {
      flags: ["--allow-net=127.0.0.1", "--allow-ffi", "--allow-read=."],
    });
    const [, port = ""] = await workers.said(/^listening on (\d+)$/);
    for (let n = 0; n < 60; n++) {
      await using client = await connect(`udp://127.0.0.1:${port}`);
      await client.send("x");
    }
    workers.kill("SIGINT");
    const { code, stdout, stderr } = await workers.ended();
    assertEquals([code, stderr.trim()], [0, `listening on ${port}`]);
    assertMatch(stdout, /^[1-9]\d* \+ [1-9]\d* = 60$/m);
  });
}
