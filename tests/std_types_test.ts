import { assert, assertEquals } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import declarations from "../lib/std.d.ts" with { type: "text" };

const declared = declarations.split(/^declare module /m).slice(1)
  .map((text) => ({ module: text.split('"')[1], text }));

Deno.test("each module that is declared is one that deno.json maps, and the other way round", () => {
  const mapped = Object.keys(config.imports)
    .filter((name) => name.startsWith("@std/"));
  assertEquals(
    declared.map(({ module }) => module).toSorted(),
    mapped.toSorted(),
  );
});

for (const { module, text } of declared) {
  Deno.test(`${module} really exports what its declaration says`, async () => {
    const actual: Record<string, unknown> = await import(module);
    const values = [...text.matchAll(
      /^ {2}export (?!type|interface)(\w+) (\w+)([^]*?)(?=^ {2}export|^})/gm,
    )];
    assert(values.length > 0);
    for (const [, kind, name, rest] of values) {
      assert(kind === "function" || kind === "class", `${kind} ${name}`);
      const value = actual[name];
      assert(typeof value === "function", `there is no ${kind} ${name}`);
      if (kind === "class") checkMembers(value.prototype, rest);
    }
  });
}

/** Each member that a class's declaration names is there. */
function checkMembers(prototype: object, declaration: string): void {
  const members = [...declaration.matchAll(/^ {4}(?:readonly )?(\w+)/gm)];
  assert(members.length > 0);
  for (const [, name] of members) assert(name in prototype, name);
}
