import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../mod.ts";
import { SOON } from "../support/helpers.ts";
import { startServer } from "./support/programs.ts";

/** Ends the server, and returns its totals. */
async function summary(server: Awaited<ReturnType<typeof startServer>>) {
  server.kill("SIGINT");
  const { code, stderr, stdout } = await server.ended();
  assertEquals(code, 0);
  return { stdout, ...JSON.parse(stderr.trimEnd().split("\n").at(-1)!) };
}

Deno.test("server accepts sources by --allow and --deny, and counts the others", async () => {
  for (
    const [args, received, denied] of [
      [["--deny", "127.0.0.0/8"], 0, 3],
      [["--allow", "10.0.0.0/8", "--allow", "127.0.0.1"], 3, 0],
      [["--allow", "127.0.0.0/8", "--deny", "127.0.0.1"], 0, 3],
    ] as const
  ) {
    await using server = await startServer([
      ...args,
      ...["--format", "json", "--stats-every", "20ms"],
    ]);
    await using client = await connect(server.address);
    for (const text of ["a", "b", "c"]) await client.send(text);
    await server.said(
      new RegExp(`"received":${received},.*"denied":${denied}\\b`),
    );
    const stats = await summary(server);
    assertEquals([stats.received, stats.dropped.denied], [received, denied]);
  }
});

Deno.test("server --rate-limit accepts a burst and counts the rest", async () => {
  await using server = await startServer([
    ...["--rate-limit", "1/h", "--burst", "4", "--echo", "--format", "json"],
    ...["--stats-every", "20ms"],
  ]);
  await using client = await connect(server.address);
  for (let n = 1; n <= 10; n++) await client.send(`${n}`);
  for (let n = 1; n <= 4; n++) {
    assertEquals((await client.receive(SOON)).text(), `${n}`);
  }
  await server.said(/"rateLimited":6\b/);
  const { received, dropped } = await summary(server);
  assertEquals([received, dropped.rateLimited], [4, 6]);
});

Deno.test("server --answer-limit withholds replies and counts them", async () => {
  await using server = await startServer([
    ...["--answer-limit", "2/h", "--echo", "--stats-every", "20ms"],
  ]);
  await using client = await connect(server.address);
  for (let n = 1; n <= 5; n++) await client.send(`${n}`);
  assertEquals((await client.receive(SOON)).text(), "1");
  await server.said(/, 4 withheld beyond the answer limit$/);
  await server.said(/^withholding replies: .* \(see --answer-limit\)$/);
  server.kill("SIGINT");
  const { stderr } = await server.ended();
  assertMatch(stderr, /, 4 withheld beyond the answer limit\n$/);
});
