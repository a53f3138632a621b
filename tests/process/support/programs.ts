/** Runs the programs of this project as users do: as processes. */

/** The folder of the project. */
export const ROOT = new URL("../../../", import.meta.url);
const NET = "--allow-net=127.0.0.1,localhost,[::1]";

// A program that has not ended after so long hangs.
const HANGS_MS = 300_000;

const decoder = new TextDecoder();

/** The output of a program. */
export interface Result {
  code: number;
  stdout: string;
  stderr: string;
  bytes: Uint8Array;
}

/** How a process is started. */
export interface Start {
  /** Permissions and other flags for `deno run`. @default {the tasks' network} */
  flags?: string[] | undefined;
  /** The folder that it runs in. @default {the project's} */
  cwd?: string | URL | undefined;
  /** Standard input. @default {empty} */
  stdin?: string | Uint8Array | ReadableStream<Uint8Array> | undefined;
  env?: Record<string, string> | undefined;
  /** A command that runs it, with its own arguments. @default {none} */
  under?: string[] | undefined;
}

/** A process that runs. */
export class Process implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: Promise<Uint8Array>;
  readonly #stderr: Promise<string>;
  readonly #lines: ReadableStreamDefaultReader<string>;

  constructor(command: string, args: string[], start: Start = {}) {
    const { stdin = "", env = {}, cwd = ROOT } = start;
    this.#child = new Deno.Command(command, {
      args,
      cwd,
      env,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const [forLines, forText] = this.#child.stderr.tee();
    this.#lines = linesOf(forLines).getReader();
    this.#stderr = new Response(forText).text();
    this.#stdout = new Response(this.#child.stdout).bytes();
    const input = stdin instanceof ReadableStream
      ? stdin
      : new Response(stdin as BodyInit).body ?? ReadableStream.from([]);
    // A program that ends early does not read all of its input.
    input.pipeTo(this.#child.stdin).catch(() => {});
  }

  /** Waits for the first line on standard error that matches. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    const seen: string[] = [];
    for (;;) {
      const { value, done } = await this.#lines.read();
      if (done) {
        throw new Error(`no line matched ${pattern} in:\n${seen.join("\n")}`);
      }
      const match = pattern.exec(value);
      if (match !== null) return match;
      seen.push(value);
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits until it has ended; one that hangs is killed. */
  async ended(): Promise<Result> {
    const hangs = setTimeout(() => this.#child.kill("SIGKILL"), HANGS_MS);
    const [{ code }, bytes, stderr] = await Promise.all([
      this.#child.status,
      this.#stdout,
      this.#stderr,
      this.#drain(),
    ]);
    clearTimeout(hangs);
    return { code, stdout: decoder.decode(bytes), stderr, bytes };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.ended();
  }

  async #drain(): Promise<void> {
    while (!(await this.#lines.read()).done);
  }
}

/** A program of this project that runs. */
export class Program extends Process {
  constructor(script: string, args: string[], start: Start = {}) {
    const { flags = [NET], under = [] } = start;
    const [command, ...words] = [...under, Deno.execPath()];
    // Without --quiet Deno reports on standard error that it installs packages.
    const run = ["run", "--quiet", "--no-prompt", ...flags];
    super(command, [...words, ...run, script, ...args], start);
  }
}

/** Runs a program to its end. */
export async function run(
  script: string,
  args: string[],
  start?: Start,
): Promise<Result> {
  await using program = new Program(script, args, start);
  return await program.ended();
}

/** A server that listens on a port of its own. */
export async function startServer(
  args: string[] = [],
  start?: Start,
): Promise<Program & { address: string }> {
  const program = new Program("server.ts", ["127.0.0.1:0", ...args], start);
  const [, address = ""] = await program.said(/^listening on (\S+)$/);
  return Object.assign(program, { address });
}

function linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): ReadableStream<string> {
  let rest = "";
  return stream.pipeThrough(new TextDecoderStream()).pipeThrough(
    new TransformStream<string, string>({
      transform(text, controller) {
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) controller.enqueue(line);
      },
      flush(controller) {
        if (rest !== "") controller.enqueue(rest);
      },
    }),
  );
}
