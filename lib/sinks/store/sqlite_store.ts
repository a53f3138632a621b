import { count } from "../../count.ts";
import { errors, quote } from "../../errors.ts";
import type { CheckpointedLog, Message, Sink } from "../../sink.ts";
import { reasonOf, Warnings } from "../../warnings.ts";
import { Recent } from "../recent.ts";
import { RecentAndStored } from "../recent_and_stored.ts";
import { sizeOf, toColumns } from "./columns.ts";
import type { Limits, StoreOptions } from "./options.ts";
import {
  describe,
  type Opened,
  type Report,
  type Succeeded,
} from "./reports.ts";
import { StoreReader } from "./reader.ts";

// What may wait for the disk; beyond it messages are counted as not stored.
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
// What a message costs beyond its bytes.
const OVERHEAD = 128;
// How long the worker may go on when there is no time left.
const GRACE_MS = 100;
// The newest messages that are read from memory instead of the file.
const RECENT = { messages: 10_000, bytes: 8 * 1024 * 1024 };

/** The numbers of a store; see {@linkcode Store}. */
export type StoreStats =
  & Readonly<Record<"stored" | "waiting" | "notStored", number>>
  & { readonly gone?: number; readonly deleted?: number };

/**
 * A sink that stores messages in a SQLite file. A message that cannot be stored
 * at once (the disk is full, another process has the file locked) waits. Up to
 * 32 MiB of messages wait; further ones are counted as `notStored`. The stats
 * `stored`, `waiting` and `notStored` add up to the messages that were written.
 * If others remove stored messages with the file, `gone` counts them as well. With
 * `keepRows` or `keepMs`, `deleted` counts messages that were deleted because of
 * it, also those of earlier runs.
 *
 * As a log it returns only messages that are stored.
 */
export interface Store extends Sink, CheckpointedLog {
  /** The path of the file. */
  readonly path: string;
  /** Returns the newest `limit` messages, oldest first. */
  latest(limit: number): Message[];
  /** Returns the epoch of a message: see {@linkcode CheckpointedLog}. */
  epochOf(id: number): string;
  /** Begins an epoch at that message. Resolves when it is saved. */
  beginEpoch(id: number): Promise<void>;
}

/** A batch that the worker has not stored yet. */
interface Batch {
  readonly count: number;
  readonly bytes: number;
  readonly lastId: number;
  /** Present only for `onStored`. */
  readonly messages: readonly Message[] | undefined;
}

type Options = StoreOptions & Limits;

/** The side of a store that its program uses; the worker writes the file. */
export class SqliteStore implements Store {
  readonly name = "store";
  readonly path: string;
  readonly #worker: Worker;
  readonly #end: () => void;
  readonly #options: Options;
  readonly #warnings: Warnings;
  readonly #batches: Batch[] = [];
  readonly #flushes: (() => void)[] = [];
  readonly #checkpoints: Map<string, number>;
  // In the order of their first messages.
  readonly #epochs: (readonly [firstId: number, epoch: string])[];
  readonly #begun: (() => void)[] = [];
  // Absent until someone reads: a store that is only written needs no memory.
  #recent: Recent | undefined;
  #counts = { stored: 0, waiting: 0, notStored: 0 };
  #gone = 0;
  #deleted = 0;
  #reader: StoreReader | undefined;
  // Not while the worker has no file open, and in the end.
  #mayRead = false;
  #identity: string;
  #waitingBytes = 0;
  #lastId: number;
  #isFull = false;
  #isFailing = false;
  #closed: Promise<void> | undefined;
  #onClosed: (() => void) | undefined;
  #isEnded = false;
  #giveUp: ReturnType<typeof setTimeout> | undefined;

  constructor(
    path: string,
    worker: Worker,
    end: () => void,
    { isOpen, identity, lastId, checkpoints, epochs }: Opened,
    options: Options,
  ) {
    this.path = path;
    this.#worker = worker;
    this.#end = end;
    this.#identity = identity;
    this.#lastId = lastId;
    this.#checkpoints = new Map(checkpoints);
    this.#epochs = [...epochs];
    this.#options = options;
    this.#warnings = new Warnings(options.onTrouble);
    if (isOpen) this.#enter(identity);
    worker.onmessage = ({ data }) => this.#onReport(data);
  }

  get stats(): StoreStats {
    const { keepRows, keepMs } = this.#options;
    const isLimited = keepRows < Infinity || keepMs < Infinity;
    return {
      ...this.#counts,
      ...(this.#gone > 0 && { gone: this.#gone }),
      ...(isLimited && { deleted: this.#deleted }),
    };
  }

  get identity(): string {
    return this.#identity;
  }

  get lastId(): number {
    return this.#lastId;
  }

  after(id: number, limit: number): Message[] {
    if (this.#closed !== undefined) return [];
    const { keepRows, keepMs } = this.#options;
    this.#recent ??= new Recent({
      ...RECENT,
      messages: Math.min(RECENT.messages, keepRows),
    });
    this.#recent.dropBefore(Date.now() - keepMs);
    // What waits for the disk is in memory too, and may never be stored.
    const reader = this.#read();
    const log = reader === undefined
      ? this.#recent
      : new RecentAndStored(this.#recent, reader);
    return log.after(id, limit)
      .filter((message) => message.id <= this.#lastId);
  }

  latest(limit: number): Message[] {
    return this.#read()?.latest(limit) ?? [];
  }

  checkpoint(destination: string): number {
    return this.#checkpoints.get(destination) ?? 0;
  }

  saveCheckpoint(destination: string, id: number): void {
    this.#checkpoints.set(destination, id);
    if (this.#closed === undefined) {
      this.#worker.postMessage({ type: "checkpoint", destination, id });
    }
  }

  epochOf(id: number): string {
    const last = this.#epochs.findLast(([firstId]) => firstId <= id);
    return last?.[1] ?? this.#identity;
  }

  beginEpoch(firstId: number): Promise<void> {
    const epoch = crypto.randomUUID();
    // Numbers that have one of their own keep it.
    const at = this.#epochs.findLastIndex(([other]) => other <= firstId) + 1;
    this.#epochs.splice(at, 0, [firstId, epoch]);
    if (this.#closed !== undefined) return Promise.resolve();
    this.#worker.postMessage({ type: "epoch", firstId, epoch });
    return new Promise((resolve) => this.#begun.push(resolve));
  }

  write(messages: readonly Message[]): void {
    const newest = messages.at(-1);
    if (newest === undefined) return;
    const count = messages.length;
    const size = sizeOf(messages);
    const bytes = size + OVERHEAD * count;
    const isFull = this.#waitingBytes + bytes > MAX_WAITING_BYTES;
    if (isFull && !this.#isFull) {
      this.#warn("too many messages wait; further ones are only counted");
    }
    this.#isFull = isFull;
    if (isFull || this.#closed !== undefined) {
      this.#counts.notStored += count;
      return;
    }
    this.#counts.waiting += count;
    this.#waitingBytes += bytes;
    this.#batches.push({
      count,
      bytes,
      lastId: newest.id,
      messages: this.#options.onStored && messages,
    });
    this.#recent?.add(messages);
    const batch = toColumns(messages, size);
    this.#worker.postMessage({ type: "write", batch }, [
      batch.data.buffer,
      batch.sources.buffer,
    ]);
  }

  flush(): Promise<void> {
    if (this.#batches.length === 0 || this.#isFailing) return Promise.resolve();
    return new Promise((resolve) => this.#flushes.push(resolve));
  }

  close(limit?: AbortSignal): Promise<void> {
    const giveUp = () => {
      if (this.#isEnded) return;
      this.#giveUp = setTimeout(() => this.#onWorkerClosed(), GRACE_MS);
    };
    if (limit?.aborted) giveUp();
    else limit?.addEventListener("abort", giveUp, { once: true });
    return this.#closed ??= new Promise((resolve) => {
      // Only the last to close folds the log into the file, if it may write.
      this.#leave();
      this.#onClosed = resolve;
      this.#worker.postMessage({ type: "close" });
    });
  }

  #onReport(report: Report): void {
    switch (report.type) {
      case "stored":
        return this.#onBatchStored();
      case "begun":
        return this.#begun.shift()?.();
      case "failing":
        this.#isFailing = true;
        this.#warn(
          this.#closed === undefined
            ? `${report.reason}; messages wait, and are counted`
            : report.reason,
        );
        return this.#endFlushes();
      case "recovered":
        this.#isFailing = false;
        this.#warnings.allOver();
        return this.#warnings.note(
          `messages are stored in ${quote(this.path)} again`,
        );
      case "entered":
        return this.#enter(report.identity);
      case "leave":
        this.#leave();
        return this.#worker.postMessage({ type: "left" });
      case "orphan":
        return this.#warnings.note(
          `${quote(report.path)} is the log of another file than ${
            quote(this.path)
          }, set aside; put it beside that file, as FILE-wal`,
        );
      case "deleted":
        this.#deleted += report.count;
        return;
      case "jumped":
        return this.#warnings.note(
          `The clock jumped ahead by ${Math.round(report.ms / 1000)} s; ` +
            `messages in ${
              quote(this.path)
            } become older by that in 15 minutes`,
        );
      case "succeeded":
        return this.#onSucceeded(report);
      case "closed":
        return this.#onWorkerClosed();
    }
  }

  #enter(identity: string): void {
    this.#identity = identity;
    this.#mayRead = this.#closed === undefined;
    this.#read();
  }

  #leave(): void {
    this.#mayRead = false;
    this.#reader?.[Symbol.dispose]();
    this.#reader = undefined;
  }

  /** Returns the reader, if there is a file to read. */
  #read(): StoreReader | undefined {
    if (!this.#mayRead) return undefined;
    for (let isFirst = true;; isFirst = false) {
      try {
        return this.#reader ??= new StoreReader(this.path);
      } catch (error) {
        // It was moved again, which is reported.
        if (error instanceof errors.NotFound) return undefined;
        // It may have been moved while it was opened.
        if (isFirst) continue;
        this.#warnings.once(reasonOf(error));
        return undefined;
      }
    }
  }

  #onSucceeded(report: Succeeded): void {
    this.#gone += report.gone;
    this.#warnings.note(describe(this.path, report));
  }

  #onBatchStored(): void {
    const { count, bytes, lastId, messages } = this.#batches.shift()!;
    this.#counts.waiting -= count;
    this.#counts.stored += count;
    this.#waitingBytes -= bytes;
    this.#lastId = lastId;
    if (messages !== undefined) this.#callBack(messages);
    if (this.#batches.length === 0) this.#endFlushes();
  }

  #callBack(messages: readonly Message[]): void {
    try {
      this.#options.onStored?.(messages);
    } catch (error) {
      this.#warnings.once(`onStored: ${reasonOf(error)}`);
    }
  }

  #endFlushes(): void {
    for (const resolve of this.#flushes.splice(0)) resolve();
  }

  #warn(reason: string): void {
    this.#warnings.once(
      `Cannot store messages in ${quote(this.path)}: ${reason}`,
    );
  }

  #onWorkerClosed(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearTimeout(this.#giveUp);
    const { waiting } = this.#counts;
    if (waiting > 0) {
      const left = count(waiting, "message");
      this.#warnings.note(`${left} could not be stored in ${quote(this.path)}`);
    }
    this.#counts.notStored += this.#counts.waiting;
    this.#counts.waiting = 0;
    this.#batches.length = 0;
    this.#endFlushes();
    for (const resolve of this.#begun.splice(0)) resolve();
    this.#end();
    this.#onClosed?.();
  }
}
