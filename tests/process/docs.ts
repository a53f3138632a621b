import { assert, assertEquals } from "@std/assert";

const PAGES = [
  "README.md",
  "CONTRIBUTING.md",
  "docs/testing.md",
  "docs/offload.md",
  "docs/page.md",
  "docs/server.md",
  "docs/scaling.md",
  "docs/performance.md",
  "docs/carriers.md",
];
const WITHOUT_COMMANDS = ["docs/page.md"];
const SCRIPTS = [".ci/run", ".ci/readme_commands"];

/** The lines of a page's blocks of shell commands, without comments. */
async function commandsIn(page: string): Promise<string[]> {
  const text = await Deno.readTextFile(page);
  return Array.from(text.matchAll(/^```sh\n([^]*?)^```/gm))
    .flatMap(([, block]) => block.split("\n"))
    .map((line) => line.replace(/\s+#.*$/, "").trim())
    .map((line) => line.replace("npx -y deno@2.9.6", "deno"))
    .filter((line) => line !== "");
}

Deno.test("a code block that cannot run by itself is a test or an example of its own", async () => {
  const tests = [];
  for (const folder of ["tests", "examples"]) {
    for await (const { name } of Deno.readDir(folder)) {
      if (!name.endsWith(folder === "tests" ? "_test.ts" : ".ts")) continue;
      tests.push(await Deno.readTextFile(`${folder}/${name}`));
    }
  }
  for (const page of PAGES) {
    const text = await Deno.readTextFile(page);
    for (const [, block] of text.matchAll(/^```ts ignore\n([^]*?)^```/gm)) {
      assert(tests.some((test) => test.includes(block)), block);
    }
  }
});

for (const page of PAGES) {
  Deno.test(`each command in ${page} is one that .ci/run runs`, async () => {
    const scripts = (await Promise.all(SCRIPTS.map((path) =>
      Deno.readTextFile(path)
    ))).join("\n").replaceAll("npx -y deno@2.9.6", "deno");
    const commands = await commandsIn(page);
    assertEquals(commands.length > 0, !WITHOUT_COMMANDS.includes(page));
    assertEquals(
      commands.filter((command) =>
        !scripts.includes(command)
      ),
      [],
    );
  });
}

Deno.test("each file that a page links to is there", async () => {
  for (const page of PAGES) {
    const text = await Deno.readTextFile(page);
    for (const [, link] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      const folder = page.includes("/") ? "docs/" : "";
      await Deno.stat(folder + link);
    }
  }
});
