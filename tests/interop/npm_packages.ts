/** Packages of npm as they are, on a simulated network with faults. */
import { assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { PACKAGES, trial } from "./npm/trial.mjs";
import { inPackage, NODE, run, show, VITEST_RUN } from "./support/runtimes.ts";
import { nodeProject } from "./support/tarball.ts";

// How many seeds each package has: `PLI_CAMPAIGN=1000` by hand.
const SEEDS = Number(Deno.env.get("PLI_CAMPAIGN") ?? 50);
const FOLDER = new URL("npm/", import.meta.url);

/** What each package does wrong on such a network; some of it is rare. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  coap: [
    "a request came that nobody has sent",
    "a long answer: other bytes",
    "a long answer: no answer, and no error",
    "a long question: 2.31 ",
    "a long question: 5.00 Byte offset not the next in line...",
  ],
  dns2: ["no retry"],
  tftp: [
    "get: the bytes are wrong",
    "get: (Server) Illegal TFTP operation",
    "put: the bytes are wrong",
    "put: (Server) Illegal TFTP operation",
    "put: (Server) Concurrent PUT request over the same file",
  ],
};

/** A test of Vitest. */
const VITEST = `
import { expect, test } from "vitest";
import { trial } from "./trial.mjs";

test.each(["multicast-dns", "net-snmp"])("%s holds", async (name) => {
  for (let seed = 1; seed <= 20; seed++) {
    expect((await trial(name, seed)).complaints).toEqual([]);
  }
});

test("coap joins a long answer from its blocks wrongly", async () => {
  const found = new Set();
  for (let seed = 1; seed <= 20; seed++) {
    for (const what of (await trial("coap", seed)).complaints) found.add(what);
  }
  expect([...found]).toContain("a long answer: other bytes");
});`;

for (const name of PACKAGES) {
  const known = KNOWN[name] ?? [];
  const does = known.length > 0 ? "breaks as it is known to" : "holds";
  Deno.test(`${name} ${does}, with ${SEEDS} seeds of losses, duplicates and reordering`, async () => {
    const found = new Map<string, number[]>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { complaints } = await trial(name, seed);
      for (const what of complaints) {
        found.set(what, [...found.get(what) ?? [], seed]);
      }
    }
    for (const [what, seeds] of found) {
      const first = seeds.slice(0, 5).join(", ");
      console.log(`  ${what}: ${seeds.length} of ${SEEDS}, such as ${first}`);
    }
    const unknown = [...found.keys()].filter((what) => !known.includes(what));
    assertEquals(unknown, []);
    assertEquals(found.size > 0, known.length > 0);
  });
}

/** A project for Node that has the package, the others, and their programs. */
async function project() {
  const files: Record<string, string> = { "packages.test.mjs": VITEST };
  for await (const { name } of Deno.readDir(FOLDER)) {
    files[name] = await Deno.readTextFile(new URL(name, FOLDER));
  }
  const imports: Record<string, string> = config.imports;
  const packages = PACKAGES.map((name) => imports[name]!.slice("npm:".length));
  return await nodeProject(files, ...packages);
}

Deno.test("each seed has one trace per package, in each process, on Deno and on Node", async () => {
  await using folder = await project();
  const args = ["digests.mjs", "10", ...PACKAGES];
  const deno = [
    "run",
    "--quiet",
    "--allow-all",
    "tests/interop/npm/digests.mjs",
  ];
  const here = () => run(".", Deno.execPath(), ...deno, ...args.slice(1));
  const { text, code } = await here();
  assertEquals([text.trim().split("\n").length, code], [PACKAGES.length, 0]);
  assertEquals((await here()).text, text);
  assertEquals((await run(folder.path, NODE, ...args)).text, text);
});

Deno.test("vitest tests packages of npm as they are, on Node", async () => {
  await using folder = await project();
  await Deno.symlink(inPackage("vitest"), `${folder.path}/node_modules/vitest`);
  const vitest = inPackage("vitest/vitest.mjs");
  const { text } = await show(folder.path, NODE, vitest, ...VITEST_RUN);
  assertMatch(text, /Tests {2}3 passed/);
});
