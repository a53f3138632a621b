import { fileURLToPath } from "node:url";
import { ROOT } from "../programs.ts";
import type { Disk } from "./disk.ts";
import { Pump } from "./pump.ts";

const SCRIPT = fileURLToPath(new URL("server.ts", ROOT));
const READY_MS = 60_000;
const QUESTION_MS = 2000;

/** The numbers of a server, as it prints and serves them. */
export interface Totals {
  readonly received: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly kernelDrops: number | null;
  readonly sinks: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** How a server is started. */
export interface SubjectOptions {
  readonly disk: Disk;
  readonly port: number;
  /** The port of its page, if it has one. */
  readonly pagePort: number | undefined;
  readonly args: readonly string[];
  /** Permissions. */
  readonly flags: readonly string[];
  /** Where standard error goes, for a shell; empty if it is read. */
  readonly redirection: string;
}

/** How a process ended. */
export interface Ended {
  readonly code: number;
  readonly signal: Deno.Signal | null;
}

/** A server that faults strike. */
export class Subject implements AsyncDisposable {
  readonly stdout: Pump;
  readonly stderr: Pump;
  readonly #pagePort: number | undefined;
  readonly #child: Deno.ChildProcess;
  #hasEnded = false;

  constructor(
    { disk, port, pagePort, args, flags, redirection }: SubjectOptions,
  ) {
    const line = `exec "$@" ${redirection}`;
    const [command = "", ...words] = [
      ...[...disk.under, "bash", "-c", line, "bash"],
      ...[Deno.execPath(), "run", "--quiet", "--no-prompt", ...flags, SCRIPT],
      ...[`127.0.0.1:${port}`, ...args],
      ...pagePort === undefined ? [] : ["--page", `127.0.0.1:${pagePort}`],
    ];
    this.#pagePort = pagePort;
    this.#child = new Deno.Command(command, {
      args: words,
      cwd: disk.folder,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.stdout = new Pump(this.#child.stdout);
    this.stderr = new Pump(this.#child.stderr);
    this.#child.status.then(() => this.#hasEnded = true);
  }

  get pid(): number {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended already.
    }
  }

  /** Resolves when it receives. */
  async ready(): Promise<void> {
    const until = performance.now() + READY_MS;
    while (await this.stats() === undefined) {
      if (this.#hasEnded || performance.now() > until) {
        throw new Error(`the server did not start:\n${this.stderr.text}`);
      }
      await new Promise((go) => setTimeout(go, 20));
    }
  }

  /**
   * Asks its page for its numbers; `undefined` if it does not answer. Without a
   * page they are those that it has printed last.
   */
  async stats(): Promise<Totals | undefined> {
    if (this.#pagePort === undefined) return this.totals;
    try {
      const reply = await get(this.#pagePort, "/stats");
      return JSON.parse(reply.slice(reply.indexOf("\r\n\r\n")));
    } catch {
      return undefined;
    }
  }

  /** The last numbers that it has printed. */
  get totals(): Totals | undefined {
    const last = this.stderr.text.match(/^\{.*\}$/gm)?.at(-1);
    return last === undefined ? undefined : JSON.parse(last);
  }

  /** Waits until it has ended, for so many milliseconds at most. */
  async ended(ms: number): Promise<Ended> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(new Error(`the server had not ended after ${ms} ms`));
    }, ms);
    try {
      const ended = await Promise.race([this.#child.status, late.promise]);
      await Promise.all([this.stdout.ended(), this.stderr.ended()]);
      return ended;
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.#child.status;
    await Promise.all([this.stdout.ended(), this.stderr.ended()]);
  }
}

/** Asks the page, on a connection of its own. */
async function get(port: number, path: string): Promise<string> {
  const signal = AbortSignal.timeout(QUESTION_MS);
  const connection = await Deno.connect({
    hostname: "127.0.0.1",
    port,
    signal,
  });
  let isOpen = true;
  const close = () => {
    if (isOpen) connection.close();
    isOpen = false;
  };
  const timer = setTimeout(close, QUESTION_MS);
  try {
    const head = `GET ${path} HTTP/1.0\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(head));
    const chunks: Uint8Array[] = [];
    const buffer = new Uint8Array(16_384);
    for (;;) {
      const size = await connection.read(buffer);
      if (size === null) break;
      chunks.push(buffer.slice(0, size));
    }
    return await new Blob(chunks as BlobPart[]).text();
  } finally {
    clearTimeout(timer);
    close();
  }
}
