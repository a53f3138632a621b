import { assertEquals, assertStringIncludes } from "@std/assert";

interface Module {
  specifier: string;
  dependencies?: { code?: { specifier: string }; isDynamic?: boolean }[];
}

/** Runs tests with the settings of this project. */
async function denoTest(
  source: string,
): Promise<{ code: number; text: string }> {
  const path = await Deno.makeTempFile({ dir: "tests", suffix: "_test.ts" });
  try {
    await Deno.writeTextFile(path, source);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--no-check", "--allow-net=127.0.0.1", path],
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("a test that leaves a socket open fails", async () => {
  const { code, text } = await denoTest(`
    import { bind } from "../mod.ts";
    Deno.test("leaks a socket", () => void bind("127.0.0.1:0"));
  `);
  assertEquals(code, 1);
  assertStringIncludes(text, "Leaks detected");
});

Deno.test("a test that leaves a receive waiting fails", async () => {
  const { code, text } = await denoTest(`
    import { bind } from "../mod.ts";
    const socket = bind("127.0.0.1:0");
    Deno.test("leaks an operation", () => {
      socket.receive().catch(() => {});
    });
  `);
  assertEquals(code, 1);
  assertStringIncludes(text, "Leaks detected");
});

Deno.test("importing the harness loads no standard library and no certificates", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "lib/testing/mod.ts"],
  }).output();
  const { roots, modules } = JSON.parse(new TextDecoder().decode(stdout));
  const seen = new Set<string>(roots);
  for (const specifier of seen) {
    const known = modules.find((module: Module) =>
      module.specifier === specifier
    );
    for (const { code, isDynamic } of (known as Module)?.dependencies ?? []) {
      if (code !== undefined && !isDynamic) seen.add(code.specifier);
    }
  }
  const others = [...seen].filter((specifier) =>
    !specifier.startsWith("file:")
  );
  assertEquals(others.toSorted(), [
    "node:assert/strict",
    "node:buffer",
    "node:events",
    "node:process",
    "npm:/pure-rand@8.4.2/distribution/uniformFloat64",
    "npm:/pure-rand@8.4.2/generator/xoroshiro128plus",
  ]);
});
