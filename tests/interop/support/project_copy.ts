/** A copy of the project that Node and Bun can load. */
import { assert } from "@std/assert";

/** Where the copy is: not in the project, whose checks would find it. */
export const COPY = await Deno.makeTempDir({ prefix: "pli-runtimes-" });
addEventListener("unload", () => Deno.removeSync(COPY, { recursive: true }));
// What a package manager would install for the tests; browsers and the like are
// not for Node or Bun.
const NOT_INSTALLED = [
  ...["playwright-core", "@matrixai/quic-linux-x64", "typescript", "uplot/"],
  ...["coap", "dns2", "hot-shots", "multicast-dns", "net-snmp", "tftp"],
];

interface Config {
  readonly imports: Record<string, string>;
  readonly exports: Record<string, string>;
}

/**
 * Copies the library and its in-process tests, with their packages. A test that
 * uses `Deno` gets it from tests/interop/runtimes/deno.mjs.
 *
 * @returns The paths of the tests in the copy.
 */
export async function copyProject(): Promise<string[]> {
  const parts = ["mod.ts", "deno.json", "lib", "examples", "tests"];
  await printed("cp", "-r", ...parts, COPY);
  await writePackages(JSON.parse(await Deno.readTextFile("deno.json")));
  for await (const path of scriptsIn("tests")) await giveDeno(path);
  const tests = [];
  for await (const { name } of Deno.readDir(`${COPY}/tests`)) {
    if (name.endsWith("_test.ts")) tests.push(`./tests/${name}`);
  }
  return tests.sort();
}

/** Runs a program in the copy, to its end. */
export function run(
  path: string,
  args: readonly string[],
): Promise<Deno.CommandOutput> {
  return new Deno.Command(path, {
    args: [...args],
    cwd: COPY,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
}

/** Makes the imports of deno.json such that Node and Bun find them. */
async function writePackages({ imports, exports }: Config): Promise<void> {
  await Deno.writeTextFile(
    `${COPY}/package.json`,
    JSON.stringify({ name: "@pli/datagram", type: "module", exports }),
  );
  const specs = new Set<string>();
  const std = new Map<string, string>();
  for (const [name, target] of Object.entries(imports)) {
    const spec = target.replace(/^npm:\/?/, "").replace(/\/$/, "");
    const [, pkg = "", path] = /^((?:@[^/]+\/)?[^/]+)(?:\/(.+))?$/.exec(spec) ??
      [];
    if (NOT_INSTALLED.includes(name)) continue;
    specs.add(pkg);
    if (path !== undefined) {
      std.set(name, `${pkg.replace(/(?<=.)@.*/, "")}/${path}`);
    }
  }
  await install(COPY, ...specs);
  // "@std/cli/parse-args" is the file parse-args.js of a package @std/cli.
  for (const [name, target] of std) {
    const [, folder = "", file = "index"] = /^(@std\/[^/]+)(?:\/(.+))?$/
      .exec(name) ?? [];
    const path = `${COPY}/node_modules/${folder}`;
    await Deno.mkdir(path, { recursive: true });
    await Deno.writeTextFile(
      `${path}/package.json`,
      JSON.stringify({
        type: "module",
        exports: { ".": "./index.js", "./*": "./*.js" },
      }),
    );
    await Deno.writeTextFile(
      `${path}/${file}.js`,
      `export * from "${target}";\n`,
    );
  }
}

async function giveDeno(path: string): Promise<void> {
  const text = await Deno.readTextFile(`${COPY}/${path}`);
  if (!/\bDeno\./.test(text)) return;
  const up = "../".repeat(path.split("/").length - 1);
  const line = `import { Deno } from "${up}tests/interop/runtimes/deno.mjs";`;
  await Deno.writeTextFile(`${COPY}/${path}`, `${line}\n${text}`);
}

/** The in-process tests in a folder of the copy, and what they share. */
async function* scriptsIn(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(`${COPY}/${folder}`)) {
    const path = `${folder}/${name}`;
    const isShared = path.startsWith("tests/support");
    if (isDirectory && isShared) yield* scriptsIn(path);
    else if (name.endsWith(".ts") && (isShared || name.endsWith("_test.ts"))) {
      yield path;
    }
  }
}

/** Installs packages. No install script has to run. */
async function install(folder: string, ...specs: string[]): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await printed(
    "npm",
    ...["install", "--prefix", folder, "--ignore-scripts", "--no-save"],
    ...["--no-package-lock", "--no-audit", "--no-fund", ...specs],
  );
}

async function printed(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args })
    .output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  return decoder.decode(stdout).trim();
}
