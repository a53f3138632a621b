/**
 * A project of its own, with its own options of the compiler, type-checks with
 * this package's sources: in a checkout and in a linked package they are checked
 * under the project's options.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url).href;
const STRICT = {
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noImplicitReturns: true,
  noPropertyAccessFromIndexSignature: true,
  // Not an option of this project itself: with it Deno gives whatever is imported
  // from JavaScript the type `any`, so the page's scripts would not be checked.
  isolatedDeclarations: true,
};

/** The specifiers of the package's entries, with their files. */
const ENTRIES = Object.entries(config.exports).map(([path, file]) =>
  [path.replace(".", config.name), new URL(file, ROOT).href] as const
);

/** What a program writes: its optional members may also be `undefined`. */
const OPTIONAL = /Options$|^(Faults|Direction|Run|SentBatch|Sink)$/;

/** A program that imports each entry. */
const ALL = ENTRIES.map(([name]) => `import "${name}";`).join("\n");

/** A test of a user. */
const TEST = `
import { withServer } from "@pli/datagram/testing";
Deno.test("echo", () =>
  withServer((datagram) => datagram.data, async (client) => {
    await client.request("x", { timeoutMs: 30_000 });
  }));`;

/** Runs Deno in a project that has one source, with options of its own. */
async function inProject(
  compilerOptions: Record<string, unknown>,
  args: readonly string[],
  source: string,
): Promise<{ success: boolean; text: string }> {
  const folder = await Deno.makeTempDir();
  try {
    const imports = Object.fromEntries(ENTRIES);
    await Deno.writeTextFile(
      `${folder}/deno.json`,
      JSON.stringify({ unstable: ["net"], imports, compilerOptions }),
    );
    await Deno.writeTextFile(`${folder}/source.ts`, source);
    return await deno([...args, "source.ts"], folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function deno(
  args: string[],
  cwd: string | URL = new URL(ROOT),
): Promise<{ success: boolean; text: string }> {
  const { success, stdout, stderr } = await new Deno.Command(
    Deno.execPath(),
    { args, cwd, env: { NO_COLOR: "1" } },
  ).output();
  const text = new TextDecoder().decode(success ? stdout : stderr);
  return { success, text };
}

Deno.test("tests of a project with its own settings type-check with the harness, and run", async () => {
  const args = ["test", "--allow-net=127.0.0.1"];
  const { success, text } = await inProject({}, args, TEST);
  assert(success, text);
});

Deno.test("every entry type-checks in a project with stricter options", async () => {
  const { success, text } = await inProject(STRICT, ["check"], ALL);
  assert(success, text);
});

Deno.test("the sources are checked with the options of the project that imports them", async () => {
  const withoutDeno = { lib: ["esnext"] };
  const { success, text } = await inProject(withoutDeno, ["check"], ALL);
  assertEquals(success, false);
  assertStringIncludes(text, `at ${ROOT}lib/`);
});

interface Documented {
  nodes: Record<string, {
    symbols: { name: string; declarations: { kind: string }[] }[];
  }>;
}

Deno.test("each option may be given as undefined in a project with exactOptionalPropertyTypes", async () => {
  const files = ENTRIES.map(([, file]) => file);
  const { text } = await deno(["doc", "--json", ...files]);
  const { nodes }: Documented = JSON.parse(text);
  const types = ENTRIES.flatMap(([name, file]) =>
    nodes[file]!.symbols
      .filter(({ declarations }) =>
        declarations.some(({ kind }) => kind === "interface")
      )
      .filter((symbol) => OPTIONAL.test(symbol.name))
      .map((symbol) => `import("${name}").${symbol.name}`)
  );
  assert(types.length > 20, types.join("\n"));
  const source = `
    /** The names of the members that may be absent, but not undefined. */
    type Exact<T> = {
      [K in keyof T]-?: Record<never, never> extends Pick<T, K>
        ? undefined extends Required<T>[K] ? never : K
        : never;
    }[keyof T];
    type None<N extends never> = N;
    export type All = [
      ${types.map((type) => `None<Exact<${type}>>`).join(",\n")}
    ];`;
  const checked = await inProject(STRICT, ["check"], source);
  assert(checked.success, checked.text);
});
