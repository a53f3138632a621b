/** Which forms of import of `node:dgram` a run over the network reaches. */
import { assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { BUN, NODE, show } from "./support/runtimes.ts";
import { nodeProject } from "./support/tarball.ts";

const ROOT = new URL("../../", import.meta.url);
const PATH = new URL("runtimes/dgram_forms.mjs", import.meta.url).pathname;
const ALWAYS = [
  "default: network",
  "default, new Socket: network",
  "named: network",
  "named, new Socket: network",
  "namespace: network",
  "require: network",
  "require, without node:: network",
  "require, new Socket: network",
];
const TAKEN = "require, taken before: real";
const COPIED = [
  ...ALWAYS.map((line) =>
    /^named|^namespace/.test(line) ? line.replace("network", "real") : line
  ),
  TAKEN,
];

/** Runs the program on Deno, from the source. */
async function onDeno(...flags: string[]): Promise<string[]> {
  const harness = new URL("lib/testing/mod.ts", ROOT).href;
  const args = ["run", "--quiet", "--allow-all", ...flags, PATH, harness];
  return (await show(".", Deno.execPath(), ...args)).text.trim().split("\n");
}

Deno.test("on Deno a run reaches default imports of node:dgram, and require", async () => {
  assertEquals(await onDeno(), COPIED);
});

Deno.test("on Deno an import map brings all imports of node:dgram to the network", async () => {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const standIn = new URL(config.exports["./testing/dgram"], ROOT).href;
    const imports = { ...config.imports, "node:dgram": standIn };
    await Deno.writeTextFile(
      path,
      JSON.stringify({ unstable: config.unstable, imports }),
    );
    assertEquals(await onDeno("--config", path), [...ALWAYS, TAKEN]);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("on Node a run reaches all imports of node:dgram", async () => {
  const source = await Deno.readTextFile(PATH);
  await using folder = await nodeProject({ "forms.mjs": source });
  const args = ["forms.mjs", "@pli/datagram/testing"];
  const { text } = await show(folder.path, NODE, ...args);
  assertEquals(text.trim().split("\n"), [...ALWAYS, TAKEN]);
});

Deno.test("on Bun a run reaches default imports of node:dgram, and require", async () => {
  const source = await Deno.readTextFile(PATH);
  await using folder = await nodeProject({ "forms.mjs": source });
  const args = ["forms.mjs", "@pli/datagram/testing"];
  const { text } = await show(folder.path, BUN, ...args);
  assertEquals(text.trim().split("\n"), COPIED);
});
