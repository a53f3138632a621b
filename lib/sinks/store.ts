import { resolve as absolute } from "node:path";
import { Warnings } from "../warnings.ts";
import { failure, quote } from "../errors.ts";
import type { Backlog, Message, Sink } from "../sink.ts";
import { sizeOf, toColumns } from "./store/columns.ts";
import { StoreReader } from "./store/reader.ts";
import workerCode from "./store/worker.js" with { type: "text" };

// What may wait for the disk; beyond it messages are counted as not kept.
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
// What a message costs beyond its bytes.
const OVERHEAD = 128;

/** How {@linkcode openStore} opens and keeps a store. */
export interface StoreOptions {
  /** How many messages it holds at most; older ones go. @default {Infinity} */
  keepRows?: number;
  /** How long it holds a message, in milliseconds. @default {Infinity} */
  keepMs?: number;
  /**
   * Whether each batch is forced to the disk, so that it outlives a failure of
   * the power and not just of the program.
   * @default {false}
   */
  durable?: boolean;
  /** Called with messages that are kept now, in order. @default {nothing} */
  onKept?: (messages: readonly Message[]) => void;
  /**
   * Called with one line when messages cannot be kept, and when they are again.
   * @default {prints it to the console}
   */
  onTrouble?: (line: string) => void;
}

/**
 * Keeps messages in a SQLite file. A message that cannot be kept at once (the
 * disk is full, another process has the file locked) waits, up to 32 MiB of
 * them; what finds no room is counted. Its stats: `kept`, `waiting` and
 * `notKept` add up to what was written.
 */
export interface Store extends Sink, Backlog {
  /** The file. */
  readonly path: string;
}

type Report =
  | { type: "opened"; id: string; lastId: number }
  | { type: "failed" | "trouble"; reason: string }
  | { type: "kept"; count: number }
  | { type: "fine" | "closed" };

/**
 * Opens a store, or makes a new one. It is written by a worker of its own, so
 * that the disk keeps no datagram waiting; one server at a time writes to it,
 * and any number of programs read it meanwhile.
 *
 * Number the messages from `lastId + 1` on. Needs `--allow-read=PATH
 * --allow-write=PATH`.
 *
 * @throws {Error} It cannot be opened, is damaged, is no store, or another
 * server has it; one line.
 */
export async function openStore(
  path: string,
  options: StoreOptions = {},
): Promise<Store> {
  const lock = lockFile(path);
  // Checked with everything else, not at each start.
  const unchecked = workerCode.replace("// @ts-check\n", "");
  const code = new Blob([unchecked], { type: "text/javascript" });
  const url = URL.createObjectURL(code);
  const worker = new Worker(url, { type: "module" });
  const end = () => {
    worker.terminate();
    URL.revokeObjectURL(url);
    lock[Symbol.dispose]();
  };
  const { promise: opened, resolve } = Promise.withResolvers<Report>();
  worker.onmessage = ({ data }) => resolve(data);
  worker.postMessage({
    type: "open",
    path: absolute(path),
    id: crypto.randomUUID(),
    isDurable: options.durable === true,
    keepRows: finite(options.keepRows),
    keepMs: finite(options.keepMs),
  });
  const report = await opened;
  try {
    if (report.type === "opened") {
      return new SqliteStore(path, worker, end, report.lastId, options);
    }
    const { reason } = report as { reason: string };
    throw new Error(`Cannot keep messages in ${quote(path)}: ${reason}`);
  } catch (error) {
    end();
    throw error;
  }
}

// A second look at a file of one's own would end the locks that SQLite has on it.
const open = new Set<string>();

/** So that no two servers number messages alike. The lock ends with its holder. */
function lockFile(path: string): Disposable {
  const name = absolute(path);
  const taken = `Cannot keep messages in ${
    quote(path)
  }: another server keeps its own there`;
  if (open.has(name)) throw new Error(taken);
  const file = openFile(path);
  if (!file.tryLockSync(true)) {
    file.close();
    throw new Error(taken);
  }
  open.add(name);
  return {
    [Symbol.dispose]() {
      file.close();
      open.delete(name);
    },
  };
}

function openFile(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { read: true, write: true, create: true });
  } catch (error) {
    throw failure(`keep messages in ${quote(path)}`, error);
  }
}

class SqliteStore implements Store {
  readonly name = "store";
  readonly path: string;
  readonly id: string;
  readonly #worker: Worker;
  readonly #end: () => void;
  readonly #reader: StoreReader;
  readonly #onKept: ((messages: readonly Message[]) => void) | undefined;
  readonly #warnings: Warnings;
  // What the worker has, in order; the messages only where somebody asks.
  readonly #batches: { count: number; bytes: number; lastId: number }[] = [];
  readonly #waitingFor: (readonly Message[])[] = [];
  readonly #flushes: (() => void)[] = [];
  readonly #marks = new Map<string, number>();
  #counts = { kept: 0, waiting: 0, notKept: 0 };
  #waitingBytes = 0;
  #lastId: number;
  #isFull = false;
  #isInTrouble = false;
  #closed: Promise<void> | undefined;
  #onClosed: (() => void) | undefined;

  constructor(
    path: string,
    worker: Worker,
    end: () => void,
    lastId: number,
    { onKept, onTrouble }: StoreOptions,
  ) {
    this.path = path;
    this.#worker = worker;
    this.#end = end;
    this.#reader = new StoreReader(path);
    this.id = this.#reader.id;
    this.#lastId = lastId;
    this.#onKept = onKept;
    this.#warnings = new Warnings(onTrouble);
    worker.onmessage = ({ data }) => this.#hear(data);
  }

  get stats() {
    return { ...this.#counts };
  }

  get lastId(): number {
    return this.#lastId;
  }

  after(id: number, limit: number): Message[] {
    return this.#closed === undefined ? this.#reader.after(id, limit) : [];
  }

  latest(limit: number): Message[] {
    return this.#closed === undefined ? this.#reader.latest(limit) : [];
  }

  handedOn(destination: string): number {
    const known = this.#marks.get(destination);
    if (known !== undefined || this.#closed !== undefined) return known ?? 0;
    return this.#reader.handedOn(destination);
  }

  markHandedOn(destination: string, id: number): void {
    this.#marks.set(destination, id);
    if (this.#closed === undefined) {
      this.#worker.postMessage({ type: "mark", destination, id });
    }
  }

  write(messages: readonly Message[]): void {
    const count = messages.length;
    const bytes = sizeOf(messages) + OVERHEAD * count;
    const isFull = this.#waitingBytes + bytes > MAX_WAITING_BYTES;
    if (isFull && !this.#isFull) {
      this.#trouble("too many wait already; what comes now is only counted");
    }
    this.#isFull = isFull;
    if (isFull || this.#closed !== undefined) {
      this.#counts.notKept += count;
      return;
    }
    this.#counts.waiting += count;
    this.#waitingBytes += bytes;
    this.#batches.push({ count, bytes, lastId: messages[count - 1].id });
    if (this.#onKept !== undefined) this.#waitingFor.push(messages);
    const batch = toColumns(messages);
    this.#worker.postMessage({ type: "write", batch }, [
      batch.data.buffer,
      batch.sources.buffer,
    ]);
  }

  flush(): Promise<void> {
    if (this.#batches.length === 0 || this.#isInTrouble) {
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#flushes.push(resolve));
  }

  close(): Promise<void> {
    return this.#closed ??= new Promise((resolve) => {
      // Only the last to close folds the log into the file, if it may write.
      this.#reader[Symbol.dispose]();
      this.#onClosed = resolve;
      this.#worker.postMessage({ type: "close" });
    });
  }

  #hear(report: Report): void {
    switch (report.type) {
      case "kept":
        return this.#kept();
      case "trouble":
        this.#isInTrouble = true;
        this.#trouble(`${report.reason}; messages wait, and are counted`);
        return this.#flushed();
      case "fine":
        this.#isInTrouble = false;
        this.#warnings.allOver();
        return this.#warnings.note(
          `messages are kept in ${quote(this.path)} again`,
        );
      case "closed":
        return this.#ended();
    }
  }

  #kept(): void {
    const { count, bytes, lastId } = this.#batches.shift()!;
    this.#counts.waiting -= count;
    this.#counts.kept += count;
    this.#waitingBytes -= bytes;
    this.#lastId = lastId;
    const messages = this.#waitingFor.shift();
    if (messages !== undefined) this.#onKept?.(messages);
    if (this.#batches.length === 0) this.#flushed();
  }

  #flushed(): void {
    for (const resolve of this.#flushes.splice(0)) resolve();
  }

  #trouble(reason: string): void {
    const line = `Cannot keep messages in ${quote(this.path)}: ${reason}`;
    this.#warnings.once(line);
  }

  #ended(): void {
    this.#counts.notKept += this.#counts.waiting;
    this.#counts.waiting = 0;
    this.#batches.length = 0;
    this.#flushed();
    this.#end();
    this.#onClosed?.();
  }
}

function finite(limit: number | undefined): number | null {
  return limit === undefined || limit === Infinity ? null : limit;
}
