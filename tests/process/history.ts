/** What `deno task history` prints of a store, and what it refuses. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { connect } from "../../mod.ts";
import { run, startServer } from "./support/programs.ts";
import { flags, test } from "./support/server_stores.ts";

const HISTORY = "lib/programs/history.ts";

test("history reads back what server --store stored: all, since, by network, the newest", async (path) => {
  await using server = await startServer(
    ["--store", path, "--count", "4"],
    flags(path),
  );
  await using client = await connect(server.address);
  const texts = ["a", "", "c\x1b", "d"];
  for (const text of texts) await client.send(text);
  const { code, stdout } = await server.ended();
  assertEquals(code, 0);

  const history = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(HISTORY, [path, ...args], {
      flags: [`--allow-read=${path}`],
    });
    assertEquals([code, stderr], [0, ""]);
    return stdout;
  };
  assertEquals(await history(), stdout);
  assertEquals(await history("--since", "1h"), stdout);
  assertEquals(await history("--since", "2999-01-01T00:00Z"), "");
  assertEquals(await history("--from", "127.0.0.0/8"), stdout);
  assertEquals(await history("--from", "10.0.0.0/8", "--from", "::1"), "");
  assertEquals(await history("--format", "raw"), texts.join(""));
  assertEquals(await history("--count", "1", "--format", "raw"), "d");
  assertEquals(
    (await history("--format", "json")).trimEnd().split("\n")
      .map((line) => JSON.parse(line).text),
    texts,
  );
});

test("history reads while the server writes", async (path) => {
  await using server = await startServer(["--store", path], flags(path));
  await using client = await connect(server.address);
  for (let n = 1; n <= 3; n++) {
    await client.send("x");
    let seen = "";
    while (seen.length < n) {
      const args = [path, "--format", "raw"];
      seen = (await run(HISTORY, args, { flags: ["--allow-read"] })).stdout;
    }
    assertEquals(seen, "x".repeat(n));
  }
});

for (
  const [args, says] of [
    [[], "FILE is missing"],
    [["a", "b"], "expected one FILE, got 2"],
    [["a", "--since", "soon"], '--since "soon": must be a time ago'],
    [["a", "--since", "2026-02-30"], '--since "2026-02-30": must be'],
    [["a", "--from", "10.0.0.0/99"], 'Invalid address "10.0.0.0/99"'],
    [["a", "--count", "0"], '--count "0"'],
    [["a", "--format", "xml"], "must be one of"],
  ] as const
) {
  Deno.test(`history ${JSON.stringify(args)} exits 1 with one line`, async () => {
    const { code, stdout, stderr } = await run(HISTORY, [...args]);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^[^\n]+\n$/);
    assertStringIncludes(stderr, says);
  });
}

Deno.test("history of a file that does not exist exits 2 with one line", async () => {
  const { code, stderr } = await run(HISTORY, ["/nowhere/x.db"], {
    flags: ["--allow-read"],
  });
  assertEquals(code, 2);
  assertMatch(
    stderr,
    /^Cannot read messages from "\/nowhere\/x.db": [^\n]+\n$/,
  );
});

for (
  const [what, make, says] of [
    ["a folder", (path) => Deno.mkdirSync(path), "it is a folder"],
    [
      "an empty file",
      (path) => Deno.writeTextFileSync(path, ""),
      "it is empty",
    ],
    [
      "a file of something else",
      (path) => Deno.writeTextFileSync(path, "x".repeat(5000)),
      "it is not an SQLite database",
    ],
    ["a database of another program", (path) => {
      using db = new DatabaseSync(path);
      db.exec("CREATE TABLE other (a)");
    }, "it is a database of another program"],
    ["a named pipe", (path) => {
      const { success } = new Deno.Command("mkfifo", { args: [path] })
        .outputSync();
      assert(success);
    }, "it is not a file"],
  ] satisfies [string, (path: string) => void, string][]
) {
  test(`history of ${what} exits 2 with one line that says so`, async (path) => {
    make(path);
    const { code, stderr } = await run(HISTORY, [path], {
      flags: [`--allow-read=${path}`],
    });
    assertEquals(code, 2);
    assertMatch(stderr, /^Cannot read messages from "[^\n]*\n$/);
    assert(stderr.includes(says), stderr);
  });
}
