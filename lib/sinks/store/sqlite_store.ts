import { resolve as absolute } from "node:path";
import { count } from "../../count.ts";
import { quote } from "../../errors.ts";
import type { CheckpointedLog, Message, Sink } from "../../sink.ts";
import { reasonOf, Warnings } from "../../warnings.ts";
import { sizeOf, toColumns } from "./columns.ts";
import { Epochs } from "./epochs.ts";
import { Gathering } from "./gathering.ts";
import type { Limits, StoreOptions } from "./options.ts";
import { describe, type Noted, type Opened, type Report } from "./reports.ts";
import { StoreLog } from "./store_log.ts";
import { Waiting } from "./waiting.ts";

// Messages that come within this time are written together, so that not each has
// a transaction of its own.
const PAUSE_MS = 10;
// How long the worker may go on when there is no time left.
const GRACE_MS = 100;

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

type Options = StoreOptions & Limits;

/** The side of a store that its program uses; the worker writes the file. */
export class SqliteStore implements Store {
  readonly name = "store";
  readonly path: string;
  readonly #worker: Worker;
  readonly #end: () => void;
  readonly #options: Options;
  readonly #warnings: Warnings;
  readonly #log: StoreLog;
  readonly #waiting = new Waiting();
  readonly #gathering: Gathering;
  readonly #epochs: Epochs;
  readonly #begun: (() => void)[] = [];
  readonly #checkpoints: Map<string, number>;
  #identity: string;
  #lastId: number;
  #gone = 0;
  #deleted = 0;
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
    this.#epochs = new Epochs(epochs);
    this.#options = options;
    // With receipts, peers wait for what is stored.
    const pauseMs = options.onStored === undefined ? PAUSE_MS : 0;
    this.#gathering = new Gathering(pauseMs, this.#post.bind(this));
    this.#warnings = new Warnings(options.onTrouble);
    this.#log = new StoreLog(absolute(path), options, this.#warnings);
    if (isOpen) this.#log.enter();
    worker.onmessage = ({ data }) => this.#onReport(data);
  }

  get stats(): StoreStats {
    const { keepRows, keepMs } = this.#options;
    const isLimited = keepRows < Infinity || keepMs < Infinity;
    return {
      ...this.#waiting.counts,
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
    // What waits for the disk is in memory too, and may never be stored.
    return this.#log.after(id, limit)
      .filter((message) => message.id <= this.#lastId);
  }

  latest(limit: number): Message[] {
    return this.#log.latest(limit);
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
    return this.#epochs.of(id) ?? this.#identity;
  }

  beginEpoch(firstId: number): Promise<void> {
    const epoch = this.#epochs.begin(firstId);
    if (this.#closed !== undefined) return Promise.resolve();
    this.#gathering.flush();
    this.#worker.postMessage({ type: "epoch", firstId, epoch });
    return new Promise((resolve) => this.#begun.push(resolve));
  }

  write(messages: readonly Message[]): void {
    if (messages.length === 0) return;
    const size = sizeOf(messages);
    const isFull = !this.#waiting.hasRoom(messages.length, size);
    if (isFull && !this.#isFull) {
      this.#warn("too many messages wait; further ones are only counted");
    }
    this.#isFull = isFull;
    if (isFull || this.#closed !== undefined) {
      return this.#waiting.leaveOut(messages.length);
    }
    this.#waiting.add(messages.length, size);
    this.#log.add(messages);
    this.#gathering.add(messages, size);
  }

  async flush(): Promise<void> {
    this.#gathering.flush();
    if (!this.#isFailing) await this.#waiting.flush();
  }

  close(limit?: AbortSignal): Promise<void> {
    const giveUp = () => {
      if (this.#isEnded) return;
      this.#giveUp = setTimeout(() => this.#endAtOnce(), GRACE_MS);
    };
    if (limit?.aborted) giveUp();
    else limit?.addEventListener("abort", giveUp, { once: true });
    return this.#closed ??= new Promise((resolve) => {
      // Only the last to close folds the log into the file, if it may write.
      this.#log.leave();
      this.#onClosed = resolve;
      this.#gathering.flush();
      this.#worker.postMessage({ type: "close" });
    });
  }

  #onReport(report: Report): void {
    switch (report.type) {
      case "stored":
        return this.#onStored();
      case "begun":
        return this.#begun.shift()?.();
      case "failing":
        return this.#onFailing(report.reason);
      case "recovered":
        this.#isFailing = false;
        this.#warnings.allOver();
        return this.#note(report);
      case "entered":
        this.#identity = report.identity;
        if (this.#closed === undefined) this.#log.enter();
        return;
      case "leave":
        this.#log.leave();
        return this.#worker.postMessage({ type: "left" });
      case "deleted":
        this.#deleted += report.count;
        return;
      case "succeeded":
        this.#gone += report.gone;
        return this.#note(report);
      case "orphan":
      case "jumped":
        return this.#note(report);
      case "closed":
        return this.#onWorkerClosed();
    }
  }

  #onStored(): void {
    const { lastId, messages } = this.#waiting.stored();
    this.#lastId = lastId;
    if (messages !== undefined) this.#callBack(messages);
    this.#gathering.written();
  }

  #post(messages: readonly Message[], size: number): void {
    this.#waiting.begin(messages, size, this.#options.onStored !== undefined);
    const batch = toColumns(messages, size);
    this.#worker.postMessage({ type: "write", batch }, [
      batch.data.buffer,
      batch.sources.buffer,
    ]);
  }

  #callBack(messages: readonly Message[]): void {
    try {
      this.#options.onStored?.(messages);
    } catch (error) {
      this.#warnings.once(`onStored: ${reasonOf(error)}`);
    }
  }

  #onFailing(reason: string): void {
    this.#isFailing = true;
    const isEnding = this.#closed !== undefined;
    this.#warn(
      isEnding ? reason : `${reason}; messages wait, and are counted`,
    );
    this.#waiting.endFlushes();
  }

  #warn(reason: string): void {
    this.#warnings.once(
      `Cannot store messages in ${quote(this.path)}: ${reason}`,
    );
  }

  #note(report: Noted): void {
    this.#warnings.note(describe(this.path, report));
  }

  #onWorkerClosed(): void {
    this.#finish((left) =>
      `${left} could not be stored in ${quote(this.path)}`
    );
  }

  /** Ends while the worker may be about to store what waits. */
  #endAtOnce(): void {
    this.#finish((left) =>
      `${left} may be stored in ${
        quote(this.path)
      } or not: no time was left; ` +
      `counted as not stored`
    );
  }

  /** @param describe Says what became of the messages that wait. */
  #finish(describe: (left: string) => string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearTimeout(this.#giveUp);
    this.#gathering.clear();
    const left = this.#waiting.giveUp();
    if (left > 0) this.#warnings.note(describe(count(left, "message")));
    for (const resolve of this.#begun.splice(0)) resolve();
    this.#end();
    this.#onClosed?.();
  }
}
