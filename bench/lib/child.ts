const BENCH = new URL("../", import.meta.url);
const PROJECT = new URL("../", BENCH);

/** How long a process may be silent before it is given up, in seconds. */
const PATIENCE = 90;

/** The command for a program, given by its path from `bench/`. */
export function denoProgram(
  path: string,
  permissions: readonly string[] = ["--allow-net=127.0.0.1"],
): string[] {
  return [
    ...[Deno.execPath(), "run", "--quiet", "--no-prompt", ...permissions],
    new URL(path, BENCH).pathname,
  ];
}

/**
 * A process of its own, so that no measurement inherits another's compiled code
 * or garbage. It prints JSON values, one a line.
 */
export class Child implements AsyncDisposable {
  readonly #abort = new AbortController();
  readonly #command: readonly string[];
  readonly #process: Deno.ChildProcess;
  readonly #values: AsyncGenerator<string>;
  readonly #errors: AsyncGenerator<string>;

  /** Starts it. */
  constructor(command: readonly string[], ...args: (string | number)[]) {
    this.#command = command;
    this.#process = new Deno.Command(command[0], {
      args: [...command.slice(1), ...args.map(String)],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
      signal: this.#abort.signal,
    }).spawn();
    this.#values = lines(this.#process.stdout);
    this.#errors = lines(this.#process.stderr);
  }

  /** Waits for the next value that it prints. */
  async next<T>(): Promise<T> {
    const { value, done } = await this.#patiently(this.#values.next());
    if (!done) return JSON.parse(value);
    throw new Error(`${this.#name} ended: ${await this.#lastWords()}`);
  }

  /** Waits for a line on standard error. */
  async said(pattern: RegExp): Promise<void> {
    for (;;) {
      const { value, done } = await this.#patiently(this.#errors.next());
      if (done) throw new Error(`${this.#name} ended`);
      if (pattern.test(value)) return;
    }
  }

  /** Ends it, where it has not ended by itself, and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#process.status;
    // What is left, so that the pipes are closed.
    for await (const _ of this.#values);
    for await (const _ of this.#errors);
  }

  get #name(): string {
    const path = this.#command.findLast((word) => word.includes("/"));
    return (path ?? this.#command[0]).replace(PROJECT.pathname, "");
  }

  async #patiently<T>(value: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error(`${this.#name} was silent for ${PATIENCE} s`)),
      PATIENCE * 1000,
    );
    try {
      return await Promise.race([value, promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What it said on standard error before it ended. */
  async #lastWords(): Promise<string> {
    const said = [];
    for await (const line of this.#errors) said.push(line.trim());
    const { code } = await this.#process.status;
    const error = said.find((line) => /error/i.test(line)) ?? said.at(-1);
    return error?.replaceAll(PROJECT.href, "") ?? `exit code ${code}`;
  }
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
