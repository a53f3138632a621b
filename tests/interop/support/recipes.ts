/** Runs the recipes of examples/protocols/, and the programs that they talk to. */
import { assertEquals, assertMatch } from "@std/assert";
import { connect, errors } from "../../../mod.ts";
import { type Result, run } from "../../process/support/programs.ts";
import { Peer } from "./peers.ts";

const ATTEMPTS = 5;
const decoder = new TextDecoder();

/** Runs a recipe to its end, with the network of `net` alone. */
export function runRecipe(
  name: string,
  args: string[],
  net = "127.0.0.1",
): Promise<Result> {
  const flags = [`--allow-net=${net}`];
  return run(`examples/protocols/${name}.ts`, args, { flags });
}

/** Runs a recipe that must succeed, and returns the lines that it prints. */
export async function linesOf(
  ...[name, args, net]: Parameters<typeof runRecipe>
): Promise<string[]> {
  const { code, stdout, stderr } = await runRecipe(name, args, net);
  assertEquals([code, stderr], [0, ""]);
  return stdout.trimEnd().split("\n");
}

/** Starts a recipe that runs until it is interrupted. */
export function startRecipe(
  name: string,
  args: string[],
  ...flags: string[]
): Peer {
  const options = ["run", "--quiet", "--no-prompt", ...flags];
  const path = `examples/protocols/${name}.ts`;
  return new Peer(Deno.execPath(), [...options, path, ...args]);
}

/** A recipe that collects at a port of its own. */
export class Collecting implements AsyncDisposable {
  readonly port: string;
  readonly #peer: Peer;

  private constructor(peer: Peer, port: string) {
    this.#peer = peer;
    this.port = port;
  }

  /** Starts it. Resolves when it listens. */
  static async start(
    name: string,
    address = "127.0.0.1:0",
    ...args: string[]
  ): Promise<Collecting> {
    // By cat it learns what the system dropped.
    const flags = ["--allow-net=127.0.0.1", "--allow-run=cat"];
    const peer = startRecipe(name, [address, ...args], ...flags);
    const [, port = ""] = await peer.said(/^listening on \S+:(\d+)$/m);
    return new Collecting(peer, port);
  }

  /** Waits until it has printed so many lines. */
  async printed(lines: number): Promise<void> {
    await this.#peer.printed(new RegExp(`^(?:.*\n){${lines}}`));
  }

  /**
   * Ends it as Ctrl-C does, and returns what it printed. It must have received so
   * many messages, and lost none.
   */
  async interrupt(received: number, malformed = 0): Promise<Printed> {
    this.#peer.signal("SIGINT");
    const { code, bytes, stderr } = await this.#peer.ended();
    const counts = `received ${received}, malformed ${malformed}`;
    assertMatch(stderr, new RegExp(`^${counts}$`, "m"));
    assertMatch(stderr, /^dropped 0, by the system (0$|unknown)/m);
    assertEquals(code, 0);
    return { lines: decoder.decode(bytes).trimEnd().split("\n"), stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer[Symbol.asyncDispose]();
  }
}

/** What a recipe printed. */
export interface Printed {
  lines: string[];
  stderr: string;
}

/**
 * Prints a peer's name and version below the test's name.
 *
 * @param command What prints the version; it may exit with an error after it.
 */
export async function showVersion(
  name: string,
  command: string,
  ...args: string[]
): Promise<void> {
  const { stdout, stderr } = await new Deno.Command(command, { args }).output();
  const text = decoder.decode(stdout) + decoder.decode(stderr);
  const [version] = /\d+(?:\.\d+)+/.exec(text) ?? [];
  if (version === undefined) throw new Error(`no version in: ${text}`);
  console.log(`  with ${name} ${version}`);
}

/** A server that was given its port. */
export interface Served extends AsyncDisposable {
  readonly port: number;
  readonly peer: Peer;
}

/** How a server is started that must be given its port. */
interface Startup {
  command: string;
  /** Its arguments; the folder is its own, and has its configuration. */
  args: (port: number, folder: string) => string[];
  /** The text of its configuration file, `FOLDER/peer.conf`. */
  config?: (port: number, folder: string) => string;
  /** Resolves when it answers, and rejects if it does not. */
  ready: (peer: Peer, port: number) => Promise<unknown>;
}

/**
 * Starts a server at a port that nothing uses; if that is taken meanwhile, at
 * another one. It is killed at the end of the block, and its folder is removed.
 */
export async function startAtFreePort(startup: Startup): Promise<Served> {
  const { command, args, config, ready } = startup;
  for (let attempt = 1;; attempt++) {
    const port = freePort();
    const folder = await Deno.makeTempDir({ prefix: "pli-peer-" });
    const text = config?.(port, folder) ?? "";
    await Deno.writeTextFile(`${folder}/peer.conf`, text);
    const peer = new Peer(command, args(port, folder));
    const end = async () => {
      await peer[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    };
    try {
      await ready(peer, port);
      return { port, peer, [Symbol.asyncDispose]: end };
    } catch (error) {
      await end();
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

/** Sends to a port on loopback until the peer there prints what matches. */
export async function prints(
  peer: Peer,
  port: number,
  message: Uint8Array<ArrayBuffer>,
  pattern: RegExp,
): Promise<void> {
  await using client = await connect(`127.0.0.1:${port}`);
  // Until it listens, its system may refuse.
  const send = () => void client.send(message).catch(() => {});
  const timer = setInterval(send, 50);
  await peer.printed(pattern).finally(() => clearInterval(timer));
}

/** Asks at a port on loopback until there is a reply. */
export async function answers(
  port: number,
  question: Uint8Array<ArrayBuffer>,
): Promise<void> {
  await using client = await connect(`127.0.0.1:${port}`);
  await client.request(question, { timeoutMs: 50, retries: 200 });
}

/** Returns a port that is free for UDP and for TCP, on loopback. */
export function freePort(): number {
  for (let attempt = 1;; attempt++) {
    using tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = tcp.addr as Deno.NetAddr;
    try {
      Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port })
        .close();
      return port;
    } catch (error) {
      if (!(error instanceof errors.AddrInUse) || attempt === ATTEMPTS) {
        throw error;
      }
    }
  }
}
