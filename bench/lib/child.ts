/** What each process that measures may do, unless it says otherwise. */
const LOOPBACK_ONLY = ["--allow-net=127.0.0.1"];

/**
 * A Deno process of its own, so that no measurement inherits another's compiled
 * code or garbage. It prints JSON values, one a line.
 */
export class Child implements AsyncDisposable {
  readonly #abort = new AbortController();
  readonly #name: string;
  readonly #process: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<string>;

  /**
   * Starts it.
   *
   * @param name Which program in `bench/processes/`, without `.ts`.
   */
  constructor(
    name: string,
    args: readonly (string | number)[],
    permissions: readonly string[] = LOOPBACK_ONLY,
  ) {
    const program = `${import.meta.dirname}/../processes/${name}.ts`;
    this.#name = name;
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", ...permissions, program],
        ...args.map(String),
      ],
      stdin: "null",
      stdout: "piped",
      signal: this.#abort.signal,
    }).spawn();
    this.#lines = lines(this.#process.stdout);
  }

  /** Waits for the next value that it prints. */
  async next<T>(): Promise<T> {
    const { value, done } = await this.#lines.next();
    if (!done) return JSON.parse(value);
    const { code } = await this.#process.status;
    throw new Error(
      `Cannot measure: the process ${this.#name} ended with exit code ${code}`,
    );
  }

  /** Ends it, where it has not ended by itself, and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#process.status;
    await this.#lines.return(undefined);
  }
}

async function* lines(bytes: ReadableStream<Uint8Array<ArrayBuffer>>) {
  let rest = "";
  for await (const text of bytes.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
