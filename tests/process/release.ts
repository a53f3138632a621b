/** What a release needs: one version everywhere, a site of the API, workflows. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { inFolder } from "./support/commands.ts";
import { Process, ROOT, run } from "./support/programs.ts";

const { version } = config;
const FILES = ["deno.json", "CHANGELOG.md", "README.md"];
const PAGE = "docs/compatibility.md";

const RELEASED = `# Changelog\n\n## ${version} (2026-12-01)\n`;

/**
 * Checks a copy of the project's files.
 *
 * @param changed The files that differ; those with `null` are missing.
 */
async function check(
  tag: string,
  changed: Record<string, string | null> = {},
): Promise<string> {
  let ended = "";
  await inFolder(async (cwd) => {
    await Deno.mkdir(`${cwd}/docs`);
    const files = { "CHANGELOG.md": RELEASED, ...changed };
    for (const name of [...FILES, PAGE]) {
      const text = (files as Record<string, string | null>)[name];
      if (text === null) continue;
      await Deno.writeTextFile(
        `${cwd}/${name}`,
        text ?? await Deno.readTextFile(new URL(name, ROOT)),
      );
    }
    const script = new URL("packaging/check_release.ts", ROOT).pathname;
    const flags = ["--allow-read=."];
    const { code, stdout, stderr } = await run(script, [tag], { cwd, flags });
    ended = `${code}: ${stdout}${stderr}`;
  });
  return ended;
}

Deno.test("a tag, deno.json, the changelog and the pages have to name one version", async () => {
  assertEquals(
    await check(`v${version}`),
    `0: ${version} can be released\n`,
  );
  for (const tag of ["v9.9.9", version, `v${version}-rc.1`, ""]) {
    assertEquals(
      await check(tag),
      `1: The tag must be the version of deno.json, v${version}: given ${
        tag || "none"
      }\n`,
    );
  }
  const heading =
    `1: CHANGELOG.md must have a heading "## ${version} (YYYY-MM-DD)"\n`;
  for (const text of [null, "", `## ${version}\n`, "## 9.9.9 (2026-12-01)\n"]) {
    assertEquals(
      await check(`v${version}`, { "CHANGELOG.md": text }),
      heading,
    );
  }
  assertEquals(
    await check(`v${version}`, { "CHANGELOG.md": "## Unreleased\n" }),
    `${heading}CHANGELOG.md must have no heading "## Unreleased"\n`,
  );
  assertEquals(
    await check(`v${version}`, { [PAGE]: "datagram@9.9.9" }),
    `1: ${PAGE} must have "datagram@${version}"\n`,
  );
});

Deno.test("the site of the API has a page for each entry", async () => {
  await using api = new Process(Deno.execPath(), ["task", "--quiet", "api"]);
  const { code, stderr } = await api.ended();
  assertEquals(code, 0, stderr);
  for (const entry of Object.keys(config.exports)) {
    const page = new URL(`tmp/api/${entry}/index.html`, ROOT);
    assertStringIncludes(await Deno.readTextFile(page), config.name);
  }
});

Deno.test("the workflows use each action and Deno in one version, and only publishing signs", async () => {
  const folder = new URL(".github/workflows/", ROOT);
  const texts: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    texts.push(await Deno.readTextFile(new URL(name, folder)));
  }
  const all = texts.join("\n");
  const used = new Set(all.match(/(?<=uses: )\S+|\bdeno@[\d.]+/g));
  const names = Array.from(used, (one) => one.split("@", 1)[0]);
  assertEquals(new Set(names).size, used.size, [...used].join(" "));
  assert(names.includes("deno"));
  for (const job of all.split(/^ {2}(?=\w+:$)/m)) {
    const publishes = /\bpublish\b/.test(job);
    assertEquals(/id-token: write/.test(job), publishes, job);
  }
  assert(!all.includes("secrets."));
});
