/** The server's page, as a process that lacks what it needs. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect } from "../../mod.ts";
import { Program } from "./support/programs.ts";

const ARGS = ["127.0.0.1:0", "--page", "127.0.0.1:0"];

Deno.test("idle connections that use up all descriptors end neither the page nor the server", async () => {
  await using server = new Program("server.ts", [...ARGS, "--count", "2"], {
    under: ["sh", "-c", 'ulimit -n 80; exec "$@"', "sh"],
  });
  const [, url = ""] = await server.said(/^page at (\S+)$/);
  const [, address = ""] = await server.said(/^listening on (\S+)$/);
  const { hostname, port } = new URL(url);
  const idle: Deno.Conn[] = [];
  try {
    for (let i = 0; i < 90; i++) {
      idle.push(await Deno.connect({ hostname, port: Number(port) }));
    }
    await server.said(/^the page accepts no connections: Too many open files/);
    await using client = await connect(address);
    await client.send("one");
    const health = await fetch(`${url}health`);
    assertEquals([health.status, await health.text()], [200, "ok\n"]);
    await client.send("two");
  } finally {
    for (const conn of idle) conn.close();
  }
  const { code, stdout, stderr } = await server.ended();
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /one\n.*two\n$/);
  assertStringIncludes(stderr, "received 2 messages");
});
