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
  // Types that JSR would have to infer.
  assert(!/^warning|slow-type/m.test(text), text);
  // Such as "   file:///…/lib/addr.ts (2.89KB)".
  const lines = text.matchAll(/^ +(file:.+) \([\d.]+\w?B\)$/gm);
  const paths = Array.from(lines, ([, url = ""]) => url.slice(root.length));
  const sizes = paths.map((path) => Deno.statSync(path).size);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`deno publish: ${paths.length} files, ${bytes} bytes`);
  return paths.sort();
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

Deno.test("what the entries need is published, and nothing else", async () => {
  const rest = ["CHANGELOG.md", "LICENSE", "README.md", "deno.json", "mod.ts"];
  // No entry leads to the programs, and the types are for this checkout.
  const library = (await filesIn("lib")).filter((path) =>
    !path.startsWith("lib/programs/") && path !== "lib/std.d.ts"
  );
  assertEquals(await published(), [...rest, ...library].sort());
});
