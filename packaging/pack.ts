/**
 * Makes the npm package: what `deno pack` makes of `deno.json`, with what that
 * cannot do yet.
 *
 * - Node below 24 gets one clear line. It cannot parse `using`, so the package
 *   has none, and each entry first checks where it runs.
 * - The entries that need Deno say so elsewhere.
 * - `package.json` has exact versions, and the fields that npm shows and checks.
 */
import ts from "typescript";
import config from "../deno.json" with { type: "json" };

const FOLDER = "tmp/pack";
// Not in the project, whose checks would find it.
const WORK = await Deno.makeTempDir();
const ROOT = `${WORK}/package`;

/** What needs Deno. On other runtimes these entries throw one line. */
const DENO_ONLY = ["offload", "page", "quic", "store", "tcp", "tls"];

/**
 * What only some entries need. It is not installed unless a project asks for it,
 * and then in the version that is tested.
 */
const OPTIONAL = /^(@nats-io\/|@peculiar\/|reflect-metadata$|uplot$)/;

/** Modules that do something when they are imported. */
const EFFECTS = [
  "./node_version.js",
  "./deno_only/*.js",
  "./lib/sinks/nats/patched_transport.js",
];

interface Conditions {
  types: string;
  default: string;
}

interface PackageJson {
  exports: Record<string, Conditions>;
  dependencies: Record<string, string>;
}

await Deno.remove(FOLDER, { recursive: true }).catch(() => {});
await Deno.mkdir(FOLDER, { recursive: true });
const raw = `${WORK}/raw.tgz`;
await run(
  Deno.execPath(),
  "pack",
  "--allow-dirty",
  "--no-source-maps",
  "-o",
  raw,
);
await run("tar", "-xzf", raw, "-C", WORK);
for await (const path of scriptsIn(ROOT)) await withoutUsing(path);
for (const name of ["node_version.js", "refuse.js"]) {
  await Deno.copyFile(`packaging/npm/${name}`, `${ROOT}/${name}`);
}
const made: PackageJson = JSON.parse(
  await Deno.readTextFile(`${ROOT}/package.json`),
);
const entries = Object.entries(made.exports).map((
  [name, { types, default: file }],
) => [name, { types, file }] as const);
await Deno.mkdir(`${ROOT}/deno_only`);
const exports: Record<string, Record<string, string>> = {};
for (const [name, { types, file }] of entries) {
  const short = name.slice("./".length);
  if (DENO_ONLY.includes(short)) {
    const elsewhere = `./deno_only/${short}.js`;
    await Deno.writeTextFile(`${ROOT}/${elsewhere}`, await refusal(short));
    exports[name] = { types, deno: file, default: elsewhere };
  } else {
    await checkFirst(file);
    exports[name] = { types, default: file };
  }
}
await Deno.writeTextFile(
  `${ROOT}/package.json`,
  `${JSON.stringify({ ...made, ...fields(made), exports }, null, 2)}\n`,
);
console.log(
  await run("npm", "pack", ROOT, "--pack-destination", FOLDER),
);

await Deno.remove(WORK, { recursive: true });

/** Runs a program, and returns what it printed; the listing of npm is in it. */
async function run(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stderr) + decoder.decode(stdout);
  if (success) return text.trim();
  console.error(`${command} ${args.join(" ")} failed:\n${text}`);
  Deno.exit(1);
}

/** The JavaScript modules in a folder and below it. */
async function* scriptsIn(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* scriptsIn(path);
    else if (name.endsWith(".js")) yield path;
  }
}

/** Writes `using` in the syntax of Node 20. */
async function withoutUsing(path: string): Promise<void> {
  const source = await Deno.readTextFile(path);
  if (!/\busing \w+ =/.test(source)) return;
  const { outputText } = ts.transpileModule(source, {
    fileName: path,
    compilerOptions: {
      allowJs: true,
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
    },
  });
  await Deno.writeTextFile(path, outputText);
}

/** Lets an entry check first where it runs. */
async function checkFirst(file: string): Promise<void> {
  const up = "../".repeat(file.split("/").length - 2) || "./";
  const source = await Deno.readTextFile(`${ROOT}/${file}`);
  await Deno.writeTextFile(
    `${ROOT}/${file}`,
    `import "${up}node_version.js";\n${source}`,
  );
}

/** A module with an entry's names that says where it can be used. */
async function refusal(name: string): Promise<string> {
  const entry = `./${name}` as keyof typeof config.exports;
  const module = await import(
    new URL(`../${config.exports[entry]}`, import.meta.url).href
  );
  const line = `${config.name}/${name} needs Deno: elsewhere there are ${
    entries.map(([path]) => path.replace("./", ""))
      .filter((path) => !DENO_ONLY.includes(path))
      .map((path) => path === "." ? config.name : `/${path}`).join(", ")
  }`;
  return [
    `import { refuse } from "../refuse.js";`,
    `const refused = () => refuse(${JSON.stringify(line)});`,
    ...Object.keys(module).map((name) => `export const ${name} = refused();`),
    "",
  ].join("\n");
}

/** What `package.json` says beside the entries. */
function fields({ dependencies }: PackageJson): Record<string, unknown> {
  const versions = Object.fromEntries(
    Object.values(config.imports).map((specifier) =>
      /^npm:\/?((?:@[^/]+\/)?[^@/]+)@([^/]+)/.exec(specifier)!.slice(1)
    ),
  );
  const pinned = (optional: boolean) =>
    Object.keys(dependencies).filter((name) => OPTIONAL.test(name) === optional)
      .map((name) => [name, versions[name]] as const);
  const peers = pinned(true);
  const repository = Deno.env.get("GITHUB_REPOSITORY");
  return {
    description: "UDP datagrams, none lost silently, with a test harness",
    keywords: [
      "udp",
      "datagram",
      "socket",
      "dgram",
      "testing",
      "multicast",
      "deno",
    ],
    engines: { node: ">=24" },
    sideEffects: EFFECTS,
    // npm shows where a package was built only if it names its repository.
    ...repository && {
      repository: {
        type: "git",
        url: `git+https://github.com/${repository}.git`,
      },
    },
    dependencies: Object.fromEntries(pinned(false)),
    peerDependencies: Object.fromEntries(peers),
    peerDependenciesMeta: Object.fromEntries(
      peers.map(([name]) => [name, { optional: true }]),
    ),
  };
}
