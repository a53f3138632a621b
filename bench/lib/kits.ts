import { denoProgram } from "./child.ts";

/** Where what is built and installed goes: paths that the task may run. */
const FOLDER = "tmp/bench";
const BUN = "1.4.5";
const PEERS = "bench/peers";

/** What a peer's program needs, made ready once. */
interface Kit {
  /** Builds or installs what is missing, and says how to run it. */
  prepare(): Promise<string[]>;
  /** What it is, with its version. */
  version(): Promise<string>;
}

/** Every kind of peer. Their names are words of `--only`. */
export const KITS = {
  raw: deno("raw.ts"),
  pli: deno("pli.ts"),
  offload: deno("offload.ts", "--allow-ffi"),
  node: {
    async prepare() {
      // Where there is none, Deno runs itself in its place.
      const deno = "process.versions.deno ?? ''";
      if (await output("node", "-p", deno) !== "") throw absent("node");
      return ["node", `${PEERS}/dgram.mjs`];
    },
    version: async () => `Node ${(await output("node", "--version")).slice(1)}`,
  },
  "node-on-deno": deno("dgram.mjs"),
  bun: {
    async prepare() {
      const path = `${FOLDER}/node_modules/bun/bin/bun`;
      const there = await output(path, "--version").catch(() => undefined);
      if (there !== BUN) await installBun();
      return [path, `${PEERS}/bun.mjs`];
    },
    version: () => Promise.resolve(`Bun ${BUN}`),
  },
  c: c("plain"),
  mmsg: c("mmsg"),
  gso: c("gso"),
  udp: carried("udp"),
  quic: carried("quic"),
  "quic-reliable": carried("quic-reliable"),
  tcp: carried("tcp"),
  "tcp-line": carried("tcp-line"),
  tls: carried("tls"),
} satisfies Record<string, Kit>;

/** The name of a kit. */
export type KitName = keyof typeof KITS;

function deno(file: string, ...permissions: string[]) {
  return {
    prepare: () =>
      Promise.resolve(
        denoProgram(`peers/${file}`, ["--allow-net=127.0.0.1", ...permissions]),
      ),
    version: () => Promise.resolve(`Deno ${Deno.version.deno}`),
  };
}

/** Our sockets over one of the carriers. */
function carried(carrier: string) {
  const program = deno("carried.ts");
  return {
    ...program,
    prepare: async () => [...await program.prepare(), carrier],
  };
}

function c(name: string) {
  return {
    async prepare() {
      await Deno.mkdir(FOLDER, { recursive: true });
      const path = `${FOLDER}/${name}`;
      await output("cc", "-O2", "-o", path, `${PEERS}/${name}.c`);
      return [path];
    },
    version: async () => (await output("cc", "--version")).split("\n")[0],
  };
}

/** Its package holds the program as it is, so nothing has to run to install it. */
function installBun(): Promise<string> {
  const arch = { x86_64: "x64", aarch64: "aarch64" }[Deno.build.arch];
  return output(
    "npm",
    ...["install", "--prefix", FOLDER, "--ignore-scripts", "--no-save"],
    ...["--no-package-lock", "--no-audit", "--no-fund"],
    `bun@npm:@oven/bun-${Deno.build.os}-${arch}@${BUN}`,
  );
}

/** What a command prints. Throws its last words where it fails. */
async function output(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await start(command, args);
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout).trim();
  const said = decoder.decode(stderr).trim().split("\n");
  throw new Error(
    `${command} failed: ${said.find((line) => /error/i.test(line)) ?? said[0]}`,
  );
}

async function start(
  command: string,
  args: string[],
): Promise<Deno.CommandOutput> {
  try {
    return await new Deno.Command(command, { args, stdin: "null" }).output();
  } catch (error) {
    // What Deno did not find as it started, it has no permission for.
    const { NotCapable, NotFound } = Deno.errors;
    if (error instanceof NotFound || error instanceof NotCapable) {
      throw absent(command);
    }
    throw error;
  }
}

function absent(command: string): Error {
  return new Error(`${command} is not there, or may not be run`);
}
