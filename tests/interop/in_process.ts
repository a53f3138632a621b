/** The in-process tests of the library on Node and on Bun. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Outcome, outcomeOf } from "./support/junit.ts";
import { FILES, KNOWN } from "./support/known.ts";
import { COPY, copyProject, run } from "./support/project_copy.ts";
import { type Runtime, RUNTIMES } from "./support/runtimes.ts";

// A stopped test would otherwise stop all.
const TIMEOUT_MS = 900_000;

const all = await copyProject();
const left = all.filter((path) =>
  FILES.every(([files]) => !files.test(path.replace("./tests/", "")))
);

for (const [name, installed] of Object.entries(RUNTIMES)) {
  Deno.test({
    name:
      `the in-process tests pass on ${installed.title}, but for what is known`,
    timeout: TIMEOUT_MS,
    async fn() {
      const { passed, failed } = await testAll(name, installed);
      const known = KNOWN.filter(({ on = name }) => on === name);
      const isKnown = (test: string) =>
        known.some(({ tests }) => tests.test(test));
      console.log(
        `${installed.title}: ${passed} passed, ${failed.length} failed, ${
          all.length - left.length
        } of ${all.length} files not run`,
      );
      for (const [files, why] of FILES) {
        const count = all.filter((path) =>
          files.test(path.replace("./tests/", ""))
        ).length;
        console.log(`  not run: ${count} files: ${why}`);
      }
      for (const { tests, why } of known) {
        const count = failed.filter(({ name }) => tests.test(name)).length;
        console.log(`  failed: ${count}: ${why}`);
      }
      const unknown = failed.filter((test) => !isKnown(test.name));
      for (const { name, text } of unknown) {
        console.log(`${name}\n${text.replace(/^(?=.)/gm, "  ")}`);
      }
      assertEquals(unknown.map(({ name }) => name), []);
      // What passes by now is not known to fail.
      const stale = known.filter(({ tests }) =>
        !failed.some(({ name }) => tests.test(name))
      );
      assertEquals(stale, []);
      // What this is about is not among what fails.
      assert(!failed.some(({ name }) => /^(traced )?dgram/.test(name)));
      assert(passed > 1000, `only ${passed} passed`);
    },
  });
}

Deno.test("a run has the same trace on Deno, Node and Bun, also with packages' ids", async () => {
  const program = "tests/process/support/virtual_program.ts";
  const decode = ({ stdout, stderr }: Deno.CommandOutput) =>
    new TextDecoder().decode(stdout.length > 0 ? stdout : stderr);
  for (const draws of ["platform", "packages"]) {
    const args = [program, "1", draws];
    const onDeno = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", ...args],
    }).output();
    const traces = [decode(onDeno)];
    for (const { path } of Object.values(RUNTIMES)) {
      traces.push(decode(await run(path, args)));
    }
    assertMatch(traces[0] ?? "", /^(\d+ ?)+\n$/);
    assertEquals(new Set(traces).size, 1, traces.join("\n"));
  }
});

Deno.test("what a runner said of a test that failed is read", () => {
  const outcome = outcomeOf(`
    <testcase name="a &quot;b&quot; &gt; c" time="1"/>
    <testcase name="d" failure="e > f">
      <failure type="g" message="e > f">
[Error: e &amp; &lt;f>] {
  code: &#39;h&#39;
}
      </failure>
    </testcase>
    <testcase name="i"><failure message="timed out&#10;late" /></testcase>
    <testcase name="j"><skipped type="skipped" message="true"/></testcase>
    <testcase name="k"><error>${"l\n".repeat(60)}m</error></testcase>
  `);
  const long = `error: ${"l\n".repeat(40)}… and 21 more lines`;
  assertEquals(outcome, {
    passed: 1,
    failed: [
      { name: "d", text: "failure: [Error: e & <f>] {\n  code: 'h'\n}" },
      { name: "i", text: "failure: timed out\nlate" },
      { name: "j", text: "skipped: true" },
      { name: "k", text: long },
    ],
  });
});

async function testAll(name: string, { path }: Runtime): Promise<Outcome> {
  const report = `${COPY}/${name}.xml`;
  const { stdout, stderr } = await run(
    path,
    name === "node"
      ? [
        ...["--test", "--test-isolation=none", "--test-force-exit"],
        "--test-reporter=junit",
        `--test-reporter-destination=${report}`,
        ...left,
      ]
      : [
        ...["test", "--reporter=junit", `--reporter-outfile=${report}`],
        // By default Bun fails a test that takes five seconds.
        ...["--timeout", "120000", ...left],
      ],
  );
  const text = await Deno.readTextFile(report).catch(() => {
    const decoder = new TextDecoder();
    throw new Error(decoder.decode(stdout) + decoder.decode(stderr));
  });
  return outcomeOf(text);
}
