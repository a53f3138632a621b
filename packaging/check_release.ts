/**
 * Checks that a tag, `deno.json`, the changelog and the pages name one version.
 * Usage: `deno run --allow-read=. packaging/check_release.ts TAG`, in the
 * project's folder. Prints one line per fault, and exits with 1 if there is one.
 */
const [tag = ""] = Deno.args;
const { version } = JSON.parse(await Deno.readTextFile("deno.json"));
const escaped = String(version).replaceAll(".", "\\.");

/** What each file has to have, as a pattern and in words. */
const WANTED: [path: string, pattern: RegExp, words: string][] = [
  [
    "CHANGELOG.md",
    new RegExp(`^## ${escaped} \\(\\d{4}-\\d\\d-\\d\\d\\)$`, "m"),
    `a heading "## ${version} (YYYY-MM-DD)"`,
  ],
  ["README.md", new RegExp(`@\\^${escaped}"`), `"@^${version}"`],
  [
    "README.md",
    new RegExp(`-${escaped}\\.tgz`),
    `"-${version}.tgz"`,
  ],
  [
    "docs/compatibility.md",
    new RegExp(`datagram@${escaped}"`),
    `"datagram@${version}"`,
  ],
];

/** A file that is missing has nothing of what it has to have. */
function textOf(path: string): Promise<string> {
  return Deno.readTextFile(path).catch(() => "");
}

const faults: string[] = [];
if (tag !== `v${version}`) {
  faults.push(
    `The tag must be the version of deno.json, v${version}: given ${
      tag || "none"
    }`,
  );
}
for (const [path, pattern, words] of WANTED) {
  if (!pattern.test(await textOf(path))) {
    faults.push(`${path} must have ${words}`);
  }
}
const unreleased = /^## Unreleased$/m;
if (unreleased.test(await textOf("CHANGELOG.md"))) {
  faults.push('CHANGELOG.md must have no heading "## Unreleased"');
}
for (const fault of faults) console.error(fault);
if (faults.length > 0) Deno.exit(1);
console.log(`${version} can be released`);
