/** Node, Bun and the tools of their projects, in the versions that are tested. */

const FOLDER = new URL("../../../tmp/runtimes/", import.meta.url).pathname;
const ARCH = { x86_64: "x64", aarch64: "arm64" }[Deno.build.arch];
const BUN_ARCH = { x86_64: "x64", aarch64: "aarch64" }[Deno.build.arch];

/**
 * What is installed, by npm only. The packages of Node and Bun hold the programs,
 * so no install script has to run.
 */
const PACKAGES = {
  node: `npm:node-${Deno.build.os}-${ARCH}@24.9.0`,
  bun: `npm:@oven/bun-${Deno.build.os}-${BUN_ARCH}@1.4.5`,
  typescript: "5.9.3",
  "@types/node": "24.19.4",
  esbuild: "0.28.2",
  vitest: "5.1.2",
  pnpm: "10.34.9",
} as const;

/** The path of Node 24. */
export const NODE = `${FOLDER}node_modules/node/bin/node`;
/** The path of Bun. */
export const BUN = `${FOLDER}node_modules/bun/bin/bun`;

/** Runs Vitest once. By default it fails a test that takes five seconds. */
export const VITEST_RUN = ["run", "--testTimeout=120000"];

/** A runtime's program, and its name with its version. */
export interface Runtime {
  readonly path: string;
  readonly title: string;
}

/** Both runtimes. */
export const RUNTIMES = {
  node: { path: NODE, title: `Node ${versionOf(PACKAGES.node)}` },
  bun: { path: BUN, title: `Bun ${versionOf(PACKAGES.bun)}` },
} satisfies Record<string, Runtime>;

/** The name of a runtime. */
export type RuntimeName = keyof typeof RUNTIMES;

/** The path of a file of one of the packages. */
export function inPackage(path: string): string {
  return `${FOLDER}node_modules/${path}`;
}

function versionOf(specifier: string): string {
  return specifier.slice(specifier.lastIndexOf("@") + 1);
}

/** How a command ended, and what it printed. */
export interface Ended {
  code: number;
  /** Standard error, then standard output. */
  text: string;
}

/** Runs a command, and shows it and what it printed, below the test's name. */
export async function show(
  cwd: string,
  command: string,
  ...args: string[]
): Promise<Ended> {
  const ended = await run(cwd, command, ...args);
  const name = command.replace(`${FOLDER}node_modules/`, "");
  const lines = `$ ${[name, ...args].join(" ")}\n${ended.text.trimEnd()}`;
  console.log(lines.replace(/^/gm, "  "));
  return ended;
}

/** Runs a command in a folder. */
export async function run(
  cwd: string,
  command: string,
  ...args: string[]
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    env: { NO_COLOR: "1", NODE_NO_WARNINGS: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stderr) + decoder.decode(stdout) };
}

const NPM_INSTALL = [
  ...["install", "--ignore-scripts", "--no-audit", "--no-fund"],
  ...["--prefer-offline", "--loglevel=error"],
];

/** Installs packages into a folder. */
export async function npmInstall(
  folder: string,
  ...packages: string[]
): Promise<void> {
  const { code, text } = await run(folder, "npm", ...NPM_INSTALL, ...packages);
  if (code !== 0) throw new Error(`npm install failed: ${text}`);
}

/** Installs what is tested, unless it is there. */
async function installAll(): Promise<void> {
  const wanted = JSON.stringify({ dependencies: PACKAGES });
  const file = `${FOLDER}package.json`;
  const done = `${FOLDER}installed.json`;
  const there = await Deno.readTextFile(done).catch(() => "");
  if (there === wanted) return;
  await Deno.remove(FOLDER, { recursive: true }).catch(() => {});
  await Deno.mkdir(FOLDER, { recursive: true });
  await Deno.writeTextFile(file, wanted);
  await npmInstall(FOLDER);
  await Deno.writeTextFile(done, wanted);
}

await installAll();
