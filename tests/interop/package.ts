/** What is in the npm package, and where it can be imported. */
import { assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { BUN, NODE, show } from "./support/runtimes.ts";
import {
  denoProject,
  ENTRIES,
  fields,
  LISTING,
  nodeProject,
  peers,
} from "./support/tarball.ts";

const DENO_ONLY = ["store", "page", "offload", "quic", "tcp", "tls"];

/** Prints how many names each entry has, or why it has none. */
const IMPORT_ALL = `
for (const name of ${JSON.stringify(ENTRIES)}) {
  const found = await import(name).then(
    (names) => Object.keys(names).length > 0 ? "imported" : "empty",
    (error) => error.stack,
  );
  console.log(name + ": " + found);
}`;

function isRefused(entry: string): boolean {
  return DENO_ONLY.some((path) => entry.endsWith(`/${path}`));
}

/** What that prints where there is no Deno. */
const elsewhere = ENTRIES.map((name) => {
  const others = ENTRIES.slice(1).filter((entry) => !isRefused(entry))
    .map((entry) => entry.slice(config.name.length));
  return isRefused(name)
    ? `${name}: Error: ${name} needs Deno: elsewhere there are ${config.name}, ${
      others.join(", ")
    }\n`
    : `${name}: imported\n`;
}).join("");

Deno.test("the package has what its entries need, and its documents", () => {
  console.log(
    LISTING.match(
      /^npm notice (?:Tarball Details|name:|version:|filename:|.*size:|total files:).*$/gm,
    )!.join("\n"),
  );
  const paths = Array.from(
    LISTING.matchAll(/^npm notice [\d.]+k?B (\S+)$/gm),
    ([, path = ""]) => path,
  );
  const others = paths.filter((path) => !/^lib\/.*\.(js|d\.ts)$/.test(path));
  assertEquals(
    others.filter((path) => !path.startsWith("lib/sinks/page/assets/")),
    [
      ...["CHANGELOG.md", "LICENSE", "README.md"],
      ...DENO_ONLY.toSorted().map((name) => `deno_only/${name}.js`),
      ...["mod.d.ts", "mod.js", "node_version.js", "package.json", "refuse.js"],
    ],
  );
  assertEquals(
    paths.filter((path) => /programs|std\.d\.ts|test\.|bench/.test(path)),
    [],
  );
});

Deno.test("package.json names what npm checks, and pins what it needs", async () => {
  const { name, version, license, type, engines, scripts, exports, ...rest } =
    await fields();
  assertEquals([name, version, license], [
    config.name,
    config.version,
    config.license,
  ]);
  assertEquals([type, engines, scripts], [
    "module",
    { node: ">=24" },
    undefined,
  ]);
  assertEquals(rest.dependencies, { "pure-rand": "8.4.2" });
  for (const [peer, wanted] of Object.entries(rest.peerDependencies)) {
    assertMatch(wanted, /^\d+\.\d+\.\d+$/);
    assertEquals(rest.peerDependenciesMeta[peer], { optional: true });
  }
  for (const entry of Object.values(exports)) {
    assertEquals(Object.keys(entry).at(0), "types");
    assertEquals(Object.keys(entry).at(-1), "default");
  }
});

Deno.test("on Node and Bun each entry is imported, or says that it needs Deno", async () => {
  await using folder = await nodeProject(
    { "all.mjs": IMPORT_ALL },
    ...await peers(),
  );
  for (const runtime of [NODE, BUN]) {
    const { code, text } = await show(folder.path, runtime, "all.mjs");
    assertEquals([text, code], [elsewhere, 0]);
  }
});

Deno.test("on Deno each entry is imported", async () => {
  await using folder = await denoProject({ "all.mjs": IMPORT_ALL });
  const { code, text } = await show(
    folder.path,
    Deno.execPath(),
    "run",
    "--quiet",
    "all.mjs",
  );
  assertEquals([text, code], [
    ENTRIES.map((name) => `${name}: imported\n`).join(""),
    0,
  ]);
});
