/** Runs other programs as peers, if they are installed. */

// The longest that a peer may wait for anything before the test fails.
const DEADLINE_MS = 100_000;
// Ends a test that hangs nevertheless.
const TEST_TIMEOUT_MS = 300_000;

const decoder = new TextDecoder();

/** Declares a test, as `Deno.test` does. */
export type Test = (promise: string, run: () => Promise<void>) => void;

/**
 * Returns what declares tests that need something installed.
 *
 * @param found A line of shell that succeeds if it is. If not, the tests are
 * skipped, and their names end with the package to install.
 * @param timeoutMs How long each may take.
 */
export async function testsWhere(
  found: string,
  debianPackage: string,
  timeoutMs = TEST_TIMEOUT_MS,
): Promise<Test> {
  const { success } = await new Deno.Command("sh", {
    args: ["-c", found],
    stdout: "null",
    stderr: "null",
  }).output();
  return (promise, run) =>
    Deno.test({
      name: success ? promise : `${promise} (install ${debianPackage})`,
      ignore: !success,
      timeout: timeoutMs,
      fn: run,
    });
}

/** A running peer. It is killed at the end of the block, or if it hangs. */
export class Peer implements AsyncDisposable {
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stdout: Gathered;
  readonly #stderr: Gathered;
  readonly #deadline: ReturnType<typeof setTimeout>;
  #running = true;

  constructor(command: string, args: string[]) {
    this.#name = command;
    this.#child = new Deno.Command(command, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdin = this.#child.stdin.getWriter();
    this.#stdout = new Gathered(this.#child.stdout);
    this.#stderr = new Gathered(this.#child.stderr);
    this.#deadline = setTimeout(() => this.#kill(), DEADLINE_MS);
  }

  /**
   * Writes to its standard input. Bytes that go into an empty pipe (64 KiB) in one
   * write are read at once, if the reader has room for them.
   */
  async type(bytes: Uint8Array): Promise<void> {
    await this.#stdin.write(bytes);
  }

  /** Waits until its standard error matches, and returns the match. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    return await this.#stderr.until((bytes) =>
      pattern.exec(decoder.decode(bytes)) ?? undefined
    ) ?? this.#fail(`said nothing that matches ${pattern}`);
  }

  /** Waits until its standard output matches, and returns the match. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    return await this.#stdout.until((bytes) =>
      pattern.exec(decoder.decode(bytes)) ?? undefined
    ) ?? this.#fail(`printed nothing that matches ${pattern}`);
  }

  /** Returns its standard output as soon as that has `size` bytes. */
  async shown(size: number): Promise<Uint8Array> {
    return await this.#stdout.until((bytes) =>
      bytes.length < size ? undefined : bytes
    ) ?? this.#fail(`wrote ${this.#stdout.bytes.length} bytes, not ${size}`);
  }

  /** Types as soon as it has shown `size` bytes. */
  async answer(size: number, bytes: Uint8Array): Promise<void> {
    await this.shown(size);
    await this.type(bytes);
  }

  /** Returns the address of its socket, for a peer that does not print it. */
  async bound(): Promise<string> {
    while (this.#running) {
      const port = await boundPort(this.#child.pid);
      if (port !== undefined) return `udp://127.0.0.1:${port}`;
    }
    return this.#fail("bound no socket");
  }

  /** Sends it a signal; it must be running. */
  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Ends its standard input and waits until it has ended. */
  async ended(): Promise<{ code: number; bytes: Uint8Array; stderr: string }> {
    // It may have ended without reading all.
    await this.#stdin.close().catch(() => {});
    const [{ code }] = await Promise.all([
      this.#child.status,
      this.#stdout.ended,
      this.#stderr.ended,
    ]);
    this.#running = false;
    clearTimeout(this.#deadline);
    return {
      code,
      bytes: this.#stdout.bytes,
      stderr: decoder.decode(this.#stderr.bytes),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    await this.ended();
  }

  #kill(): void {
    this.#running = false;
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
  }

  #fail(what: string): never {
    const stderr = decoder.decode(this.#stderr.bytes);
    throw new Error(`${this.#name} ${what}; its standard error:\n${stderr}`);
  }
}

/** Runs a peer to its end and returns its standard output. It must succeed. */
export async function runPeer(
  command: string,
  args: string[],
  stdin: Uint8Array = new Uint8Array(),
): Promise<Uint8Array> {
  await using peer = new Peer(command, args);
  // If it ends before it has read everything, its exit code tells why.
  await peer.type(stdin).catch(() => {});
  const { code, bytes, stderr } = await peer.ended();
  if (code !== 0) throw new Error(`${command} exited ${code}: ${stderr}`);
  return bytes;
}

/** The bytes that a stream has given so far. */
class Gathered {
  bytes: Uint8Array = new Uint8Array();
  readonly ended: Promise<void>;
  #open = true;
  #more = Promise.withResolvers<void>();

  constructor(stream: ReadableStream<Uint8Array>) {
    this.ended = this.#gather(stream);
  }

  /** Waits for what `look` finds; `undefined` if the stream ends before. */
  async until<T>(
    look: (bytes: Uint8Array) => T | undefined,
  ): Promise<T | undefined> {
    for (;;) {
      const { promise } = this.#more;
      const found = look(this.bytes);
      if (found !== undefined || !this.#open) return found;
      await promise;
    }
  }

  async #gather(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const chunk of stream) {
      const bytes = new Uint8Array(this.bytes.length + chunk.length);
      bytes.set(this.bytes);
      bytes.set(chunk, this.bytes.length);
      this.bytes = bytes;
      this.#wake();
    }
    this.#open = false;
    this.#wake();
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }
}

/** Returns the UDP port of a process, from its descriptors and Linux' table. */
export async function boundPort(pid: number): Promise<number | undefined> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", 'readlink /proc/"$0"/fd/*; cat /proc/net/udp', `${pid}`],
    stderr: "null",
  }).output();
  const lines = decoder.decode(stdout).split("\n");
  for (const line of lines) {
    // slot, local address, remote address, …, inode
    const columns = line.trim().split(/\s+/);
    const [, local = ""] = columns;
    const [, port] = /^[0-9A-F]{8}:([0-9A-F]{4})$/.exec(local) ?? [];
    if (port && lines.includes(`socket:[${columns[9]}]`)) {
      return parseInt(port, 16);
    }
  }
  return undefined;
}
