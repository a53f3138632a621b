/** What `deno publish` would publish. */
import { assert, assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url).href;

/** The paths of the files that would be published. */
async function published(): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty", "--no-check"],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout) + decoder.decode(stderr);
  assert(success, text);
  // Such as "   file:///…/lib/addr.ts (2.89KB)".
  const lines = text.matchAll(/^ +(file:.+) \([\d.]+\w?B\)$/gm);
  return Array.from(lines, ([, url = ""]) => url.slice(root.length)).sort();
}

/** The paths of all files in a folder and below it. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const paths = await Promise.all(entries.map(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    return isDirectory ? filesIn(path) : [path];
  }));
  return paths.flat().sort();
}

Deno.test("all of lib is published, and nothing that a user has no use for", async () => {
  const rest = ["CHANGELOG.md", "LICENSE", "README.md", "deno.json", "mod.ts"];
  assertEquals(await published(), [...rest, ...await filesIn("lib")].sort());
});
