/** The guide to testing a package of npm: its steps, done in empty folders. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { inPackage, NODE, run, show, VITEST_RUN } from "./support/runtimes.ts";
import { denoProject, nodeProject } from "./support/tarball.ts";

const page = await Deno.readTextFile("docs/testing.md");

/** What a block of the page shows as a file of that name. */
function file(name: string): Record<string, string> {
  const start = page.indexOf(`\n// ${name}\n`);
  return { [name]: page.slice(start, page.indexOf("\n```", start)) };
}

Deno.test("the guide's steps find what breaks in a package, on Deno", async () => {
  await using folder = await denoProject({
    ...file("long_answer.ts"),
    ...file("long_answer_test.ts"),
    ...file("duplicate_test.ts"),
  });
  const path = `${folder.path}/deno.json`;
  const project = JSON.parse(await Deno.readTextFile(path));
  project.imports.coap = config.imports.coap;
  await Deno.writeTextFile(path, JSON.stringify(project));
  const test = ["test", "--quiet", "--allow-all"];
  const found = await run(folder.path, Deno.execPath(), ...test);
  const [, shown = ""] =
    /```text\n(The program fails[^`]*? bytes arrived[^]*?)```/.exec(page) ??
      [];
  assertStringIncludes(found.text, shown);
  assertMatch(found.text, /1 passed \| 1 failed/);
});

Deno.test("the guide's test runs in vitest, on Node", async () => {
  await using folder = await nodeProject({
    ...file("long_answer.ts"),
    ...file("long_answer.test.ts"),
  }, config.imports.coap.slice("npm:".length));
  await Deno.symlink(inPackage("vitest"), `${folder.path}/node_modules/vitest`);
  const vitest = inPackage("vitest/vitest.mjs");
  const { text, code } = await show(folder.path, NODE, vitest, ...VITEST_RUN);
  assertMatch(text, /Tests {2}1 passed/);
  assertEquals(code, 0);
});
