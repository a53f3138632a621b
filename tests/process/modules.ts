/** What imports what: layers, circles, and what a program loads when it starts. */
import { assert, assertEquals } from "@std/assert";

interface Dependency {
  /** As it is written in the module. */
  specifier: string;
  /** What it names, for an import that is there at run time. */
  code?: { specifier: string };
  /** What it names, for an import of types. */
  type?: { specifier: string };
  isDynamic?: boolean;
}

interface Module {
  specifier: string;
  dependencies?: Dependency[];
}

/**
 * Lowest first. A module imports from its own place and from lower layers, never
 * from another place in its own layer.
 */
const LAYERS: readonly (readonly string[])[] = [
  ["lib/", "deno.json"],
  ["lib/address/"],
  ["lib/limits/"],
  ["lib/socket/", "lib/carriers/"],
  ["lib/dgram/", "lib/sources.ts"],
  ["lib/dgram.ts"],
  ["lib/open.ts", "lib/sink.ts"],
  ["lib/collect/", "lib/capture/", "lib/measure/"],
  ["lib/serve.ts", "lib/collect.ts", "lib/capture.ts", "lib/measure.ts"],
  ["lib/testing/", "lib/sinks/"],
  ["mod.ts", "lib/programs/"],
  ["server.ts", "client.ts", "examples/"],
];

const root = new URL("../../", import.meta.url).href;
const { exports } = JSON.parse(await Deno.readTextFile("deno.json"));
const entries: string[] = Object.values<string>(exports)
  .map((path) => path.replace("./", ""));
const graph = await graphOf([
  ...entries,
  "server.ts",
  "client.ts",
  ...await scriptsIn("lib/programs"),
  ...await scriptsIn("examples"),
]);

async function scriptsIn(folder: string): Promise<string[]> {
  const files = await Array.fromAsync(Deno.readDir(folder));
  return files.filter(({ name }) => name.endsWith(".ts"))
    .map(({ name }) => `${folder}/${name}`);
}

/** The modules that are reached from the scripts, by their specifiers. */
async function graphOf(scripts: string[]): Promise<Map<string, Module>> {
  const all = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const lines = scripts.map((path) => `import "${root}${path}";\n`);
    await Deno.writeTextFile(all, lines.join(""));
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      { args: ["info", "--config", "deno.json", "--json", all] },
    ).output();
    assert(success, new TextDecoder().decode(stderr));
    const { modules } = JSON.parse(new TextDecoder().decode(stdout));
    return new Map(
      modules.map((module: Module) => [module.specifier, module]),
    );
  } finally {
    await Deno.remove(all);
  }
}

/** Everything that is reached from a module, itself only if by a circle. */
function reachedFrom(
  specifier: string,
  follow: (dependency: Dependency) => (string | undefined)[],
): Set<string> {
  const next = (specifier: string) =>
    (graph.get(specifier)?.dependencies ?? []).flatMap(follow)
      .filter((found) => found !== undefined);
  const reached = new Set(next(specifier));
  for (const found of reached) {
    for (const further of next(found)) reached.add(further);
  }
  return reached;
}

const anyImport = ({ code, type }: Dependency) => [
  code?.specifier,
  type?.specifier,
];
const atRunTime = ({ code }: Dependency) => [code?.specifier];
const atStart = ({ code, isDynamic }: Dependency) =>
  isDynamic ? [] : [code?.specifier];

/** The project's own modules, by their paths. */
function ownModules(): Map<string, Module> {
  const own = [...graph].filter(([specifier]) => specifier.startsWith(root));
  return new Map(
    own.map(([name, module]) => [name.slice(root.length), module]),
  );
}

/** The place of a module in the table, and that place's layer. */
function placeOf(path: string): { place: string; layer: number } {
  const folders = path.split("/").slice(0, -1).slice(0, 2);
  const folder = `${folders.join("/")}/`;
  for (const place of [path, folder]) {
    const layer = LAYERS.findIndex((places) => places.includes(place));
    if (layer >= 0) return { place, layer };
  }
  throw new Error(`${path} has no layer`);
}

Deno.test("no circle of imports, types included", () => {
  const own = ownModules();
  // An empty graph must not pass.
  assert(own.size > 100, `only ${own.size} modules`);
  const onCircles = [...own.keys()].filter((path) =>
    reachedFrom(root + path, anyImport).has(root + path)
  );
  assertEquals(onCircles, []);
});

Deno.test("no module imports upward or sideways, types included", () => {
  const wrong: string[] = [];
  for (const [path, { dependencies = [] }] of ownModules()) {
    const from = placeOf(path);
    for (const found of dependencies.flatMap(anyImport)) {
      if (!found?.startsWith(root)) continue;
      const imported = found.slice(root.length);
      const to = placeOf(imported);
      if (to.place === from.place || to.layer < from.layer) continue;
      wrong.push(`${path} imports ${imported}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("the library imports nothing of the standard library at run time", () => {
  const modules = entries.flatMap((entry) => [
    root + entry,
    ...reachedFrom(root + entry, atRunTime),
  ]);
  const imports = [...new Set(modules)].flatMap((specifier) =>
    (graph.get(specifier)?.dependencies ?? [])
      .filter(({ code }) => code !== undefined)
      .filter((dependency) => /^@std\/|deno-std/.test(dependency.specifier))
      .map((dependency) =>
        `${specifier.replace(root, "")} imports ${dependency.specifier}`
      )
  );
  assertEquals(imports, []);
});

/** What a program loads when it starts. */
function loaded(script: string): string[] {
  // A program's file imports the program itself once it is known to run on Deno.
  const own = (graph.get(root + script)?.dependencies ?? [])
    .flatMap(atRunTime).filter((module) => module !== undefined);
  const further = own.flatMap((module) => [...reachedFrom(module, atStart)]);
  return [script, ...new Set([...own, ...further])];
}

for (const script of ["mod.ts", "server.ts", "client.ts"]) {
  Deno.test(`${script} loads nothing of Node when it starts, as that takes long`, () => {
    assert(loaded(script).length > 50);
    const ofNode = loaded(script).filter((module) =>
      module.startsWith("node:")
    );
    assertEquals(ofNode, []);
  });
}

Deno.test("server loads no store, no page and no broker unless it is asked to", () => {
  const modules = loaded("server.ts");
  assertEquals(modules.some((module) => module.endsWith("collect.ts")), true);
  assertEquals(
    modules.filter((module) =>
      /sqlite|nats-io|uplot|lib\/sinks\/(?!nats\/url\.ts|page\/hosts\.ts)/
        .test(module)
    ),
    [],
  );
});

for (const program of ["server.ts", "client.ts"]) {
  Deno.test(`${program} loads no encryption and no offload unless it is asked to`, () => {
    const modules = loaded(program)
      .map((module) => module.replace(root, ""));
    assertEquals(modules.some((module) => module.endsWith("tcp.ts")), true);
    assertEquals(
      modules.filter((module) =>
        /quic|tls|x509|certificate|offload/.test(module)
      ),
      [],
    );
  });
}

Deno.test("client loads nothing of a server's", () => {
  const modules = loaded("client.ts")
    .map((module) => module.replace(root, ""));
  assertEquals(modules.filter((module) => /sinks|collect/.test(module)), []);
});
