/** The in-process tests of the library on Node and on Bun. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { FILES, KNOWN } from "./support/known.ts";
import { COPY, copyProject, run } from "./support/project_copy.ts";
import { type Runtime, RUNTIMES } from "./support/runtimes.ts";

// A stopped test would otherwise stop all.
const TIMEOUT_MS = 240_000;

/** The names of the tests that were run, and of those that failed. */
interface Outcome {
  readonly passed: number;
  readonly failed: readonly string[];
}

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
        const count = failed.filter((test) => tests.test(test)).length;
        console.log(`  failed: ${count}: ${why}`);
      }
      assertEquals(failed.filter((test) => !isKnown(test)), []);
      // What passes by now is not known to fail.
      const stale = known.filter(({ tests }) =>
        !failed.some((test) => tests.test(test))
      );
      assertEquals(stale, []);
      // What this is about is not among what fails.
      assert(!failed.some((test) => /^(traced )?dgram/.test(test)));
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
      : ["test", "--reporter=junit", `--reporter-outfile=${report}`, ...left],
  );
  const text = await Deno.readTextFile(report).catch(() => {
    const decoder = new TextDecoder();
    throw new Error(decoder.decode(stdout) + decoder.decode(stderr));
  });
  return outcomeOf(text);
}

/** Reads a report in the form of JUnit. */
function outcomeOf(xml: string): Outcome {
  let passed = 0;
  const failed: string[] = [];
  const cases = xml.matchAll(
    /<testcase\b((?:[^>"]|"[^"]*")*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  );
  for (const [, attributes = "", body = ""] of cases) {
    const name = /\bname="([^"]*)"/.exec(attributes)?.[1] ?? "";
    if (/<(failure|error|skipped)\b/.test(body)) failed.push(plain(name));
    else passed++;
  }
  return { passed, failed };
}

function plain(text: string): string {
  const marks: Record<string, string> = { lt: "<", gt: ">", quot: '"' };
  return text.replace(/&(lt|gt|quot);/g, (_, name) => marks[name] ?? "")
    .replaceAll("&apos;", "'").replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}
