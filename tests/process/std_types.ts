/**
 * The declarations of the standard library. They are read as text, not imported,
 * so that the tests type-check against the standard library's own types too.
 */
import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };

const declarations = await Deno.readTextFile("lib/std.d.ts");
const declared = declarations.split(/^declare module /m).slice(1)
  .map((text) => ({ module: text.split('"')[1] ?? "", text }));

Deno.test("each module that deno.json maps is declared, and no other", () => {
  const mapped = Object.keys(config.imports)
    .filter((name) => name.startsWith("@std/"));
  assertEquals(
    declared.map(({ module }) => module).toSorted(),
    mapped.toSorted(),
  );
});

for (const { module, text } of declared) {
  Deno.test(`${module} exports the functions that its declaration names`, async () => {
    const actual: Record<string, unknown> = await import(module);
    const names = [
      ...text.matchAll(/^ {2}export (?!type|interface)(\w+) (\w+)/gm),
    ];
    assert(names.length > 0);
    for (const [, kind, name = ""] of names) {
      assertEquals([kind, typeof actual[name]], ["function", "function"], name);
    }
  });
}
