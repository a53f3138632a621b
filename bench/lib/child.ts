const BENCH = new URL("../", import.meta.url);
const PROJECT = new URL("../", BENCH);

// A process that prints nothing for this long is given up.
const SILENCE_S = 90;

/** The folder for the files and programs of a run. The task may write there. */
export const FOLDER = "tmp/bench";

/** The permission that every program gets. */
export const NET = "--allow-net=127.0.0.1";

/** Returns the command for a program, given by its path from `bench/`. */
export function denoProgram(
  path: string,
  permissions: readonly string[] = [NET],
): string[] {
  return [
    ...[Deno.execPath(), "run", "--quiet", "--no-prompt", ...permissions],
    new URL(path, BENCH).pathname,
  ];
}

/**
 * A process of its own, so that no measurement shares compiled code or garbage
 * with another.
 */
export class Child implements AsyncDisposable {
  readonly #name: string;
  readonly #process: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<string>;
  readonly #errors: AsyncGenerator<string>;

  /**
   * Starts it.
   *
   * @param stdout Whether what it prints is read, line by line, or discarded.
   */
  constructor(
    command: readonly (string | number)[],
    stdout: "read" | "discarded" = "read",
  ) {
    const [program = "", ...args] = command.map(String);
    const path = args.findLast((arg) => arg.startsWith(PROJECT.pathname));
    this.#name = (path ?? program).replace(PROJECT.pathname, "");
    this.#process = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: stdout === "read" ? "piped" : "null",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    this.#lines = lines(
      stdout === "read" ? this.#process.stdout : ReadableStream.from([]),
    );
    this.#errors = lines(this.#process.stderr);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Waits for the next line on standard output. */
  async line(): Promise<string> {
    const { value, done } = await this.#inTime(this.#lines.next());
    if (!done) return value;
    throw await this.#ended();
  }

  /** Waits for the next value on standard output, as JSON. */
  async next<T>(): Promise<T> {
    return JSON.parse(await this.line());
  }

  /** Waits for the next line on standard error that matches. */
  async logged(pattern: RegExp): Promise<RegExpExecArray> {
    const logged: string[] = [];
    for (;;) {
      const { value, done } = await this.#inTime(this.#errors.next());
      if (done) throw await this.#ended(logged);
      const match = pattern.exec(value);
      if (match !== null) return match;
      logged.push(value);
    }
  }

  /** Sends Ctrl-C. */
  interrupt(): void {
    this.#process.kill("SIGINT");
  }

  /** Ends it if it has not ended by itself, and waits until it has. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGTERM");
    } catch {
      // It has ended.
    }
    await this.#process.status;
    // The rest is read, so that the pipes are closed.
    for await (const _ of this.#lines);
    for await (const _ of this.#errors);
  }

  async #inTime<T>(value: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error(`${this.#name} was silent for ${SILENCE_S} s`)),
      SILENCE_S * 1000,
    );
    try {
      return await Promise.race([value, promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** An error with the line on standard error that explains the end best. */
  async #ended(logged: string[] = []): Promise<Error> {
    for await (const line of this.#errors) logged.push(line);
    const { code } = await this.#process.status;
    const reason = explanation(logged) ?? `exit code ${code}`;
    return new Error(
      `${this.#name} ended: ${reason.replaceAll(PROJECT.href, "")}`,
    );
  }
}

/**
 * Returns what a command prints.
 *
 * @throws {Error} It failed, is not installed, or may not be run.
 */
export async function output(
  command: string,
  ...args: (string | number)[]
): Promise<string> {
  const { success, stdout, stderr } = await run(command, args.map(String));
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout).trim();
  const logged = decoder.decode(stderr).trim().split("\n");
  throw new Error(`${command} failed: ${explanation(logged)}`);
}

/** Returns the error of a command that cannot be run. */
export function absent(command: string): Error {
  return new Error(
    `${command} is not installed, or --allow-run does not name it`,
  );
}

/** Creates a folder that is deleted when it is disposed of. */
export async function temporaryFolder() {
  await Deno.mkdir(FOLDER, { recursive: true });
  const path = await Deno.makeTempDir({ dir: FOLDER });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

async function run(command: string, args: string[]) {
  try {
    return await new Deno.Command(command, { args, stdin: "null" }).output();
  } catch (error) {
    // Deno has no permission for a command that it did not find as it started.
    const { NotCapable, NotFound } = Deno.errors;
    const isAbsent = error instanceof NotFound || error instanceof NotCapable;
    throw isAbsent ? absent(command) : error;
  }
}

function explanation(logged: string[]): string | undefined {
  return (logged.find((line) => /error/i.test(line)) ?? logged.at(-1))?.trim();
}

async function* lines(bytes: ReadableStream<Uint8Array<ArrayBuffer>>) {
  let rest = "";
  for await (const text of bytes.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  if (rest !== "") yield rest;
}
