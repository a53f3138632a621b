import { absent, Child, denoProgram, FOLDER, output } from "./child.ts";
import { type CarrierName, CARRIERS } from "./carriers.ts";

const BUN = "1.4.5";
// The first that the library runs on, whatever is installed.
const NODE = "24.9.0";
const PEERS = "bench/peers";
// Some roles have 1,000 peers, which a program can hardly name one by one.
const ALL_NET = "--allow-net";

/** A program that is ready to run. */
interface Program {
  command: string[];
  /** Its name and version. @default {those of Deno} */
  version?: string | undefined;
}

/** Builds or installs what is missing. */
type Prepare = () => Promise<Program>;

/** All programs that are measured. Their names are filters of `--only`. */
export const IMPLEMENTATIONS = {
  raw: deno("raw.ts"),
  pli: deno("pli.ts"),
  offload: deno("offload.ts", ["--allow-ffi"]),
  node: async () => {
    // If there is no Node, Deno runs itself in its place.
    const deno = "process.versions.deno ?? ''";
    if (await output("node", "-p", deno) !== "") throw absent("node");
    const version = `Node ${(await output("node", "--version")).slice(1)}`;
    return tried({ command: ["node", `${PEERS}/dgram.mjs`], version });
  },
  "node-on-deno": deno("dgram.mjs"),
  facade: deno("facade.ts"),
  bun: bun("bun.mjs"),
  "node-24": node("dgram.mjs"),
  "node-on-bun": bun("dgram.mjs"),
  "dgram-on-deno": deno("portable.mjs"),
  "dgram-on-node": node("portable.mjs"),
  "dgram-on-bun": bun("portable.mjs"),
  c: c("plain", "plain.c"),
  mmsg: c("mmsg", "batched.c", "-DBATCH=64", "-DSEGMENTS=1"),
  gso: c("gso", "batched.c", "-DBATCH=16", "-DSEGMENTS=128"),
  "nats-server": async () => {
    // It prints "nats-server: v2.9.10".
    const version = await output("nats-server", "--version");
    return { command: ["nats-server"], version: version.replace(": v", " ") };
  },
  ...Object.fromEntries(
    Object.keys(CARRIERS).map((name) => [name, deno("carried.ts", [], name)]),
  ) as Record<CarrierName, Prepare>,
} satisfies Record<string, Prepare>;

/** The name of an implementation. */
export type ImplementationName = keyof typeof IMPLEMENTATIONS;

/** Checks that a program can receive before it is measured. */
async function tried(program: Program): Promise<Program> {
  await using receiver = new Child([...program.command, "receive", 100, 1]);
  await receiver.next();
  return program;
}

function deno(
  file: string,
  permissions: string[] = [],
  ...args: string[]
): Prepare {
  const program = denoProgram(`peers/${file}`, [ALL_NET, ...permissions]);
  return () => tried({ command: [...program, ...args] });
}

function c(name: string, file: string, ...flags: string[]): Prepare {
  return async () => {
    await Deno.mkdir(FOLDER, { recursive: true });
    const path = `${FOLDER}/${name}`;
    await output("cc", "-O2", ...flags, "-o", path, `${PEERS}/${file}`);
    const [version] = (await output("cc", "--version")).split("\n");
    return tried({ command: [path], version });
  };
}

function bun(file: string): Prepare {
  const arch = Deno.build.arch === "x86_64" ? "x64" : "aarch64";
  const spec = `bun@npm:@oven/bun-${Deno.build.os}-${arch}@${BUN}`;
  const path = `${FOLDER}/node_modules/bun/bin/bun`;
  return installed(file, `Bun ${BUN}`, path, FOLDER, spec);
}

function node(file: string): Prepare {
  const arch = Deno.build.arch === "x86_64" ? "x64" : "arm64";
  const name = `node-${Deno.build.os}-${arch}`;
  // npm removes what else is in a folder.
  const folder = `${FOLDER}/node`;
  const path = `${folder}/node_modules/${name}/bin/node`;
  return installed(file, `Node ${NODE}`, path, folder, `${name}@${NODE}`);
}

/** Installs a runtime. Its package holds the program: no install script runs. */
function installed(
  file: string,
  version: string,
  path: string,
  folder: string,
  spec: string,
): Prepare {
  return async () => {
    const there = await output(path, "--version").catch(() => "");
    if (!version.endsWith(` ${there.replace(/^v/, "")}`)) {
      await output(
        "npm",
        ...["install", "--prefix", folder, "--ignore-scripts", "--no-save"],
        ...["--no-package-lock", "--no-audit", "--no-fund", spec],
      );
    }
    return tried({ command: [path, `${PEERS}/${file}`], version });
  };
}
