import type { CheckpointedLog, Message } from "../../sink.ts";
import { reasonOf, type Warnings } from "../../warnings.ts";

const MAX_BYTES = 64 * 1024 * 1024;
const CHECKPOINT_MESSAGES = 500;
const CHECKPOINT_MS = 100;

/** Messages that wait for the broker. Their numbers have no gaps. */
export interface Waiting {
  /** Identifies a message, together with its number. */
  epochOf(id: number): string;
  /**
   * Begins a new epoch at a message, because another server has the present one.
   * Resolves when it is saved.
   */
  beginEpoch(id: number): Promise<void>;
  /**
   * Notes that a message is sent.
   *
   * @returns Whether the broker cannot have it: this process received it, and
   * never sent it before.
   */
  send(id: number): boolean;
  /** The highest number so far. */
  readonly lastId: number;
  /** The number up to which all messages have an outcome. */
  readonly settledId: number;
  /** Takes messages. Returns how many of them there was no room for. */
  add(messages: readonly Message[]): number;
  /** Returns at most `limit` messages above a number, oldest first. */
  after(id: number, limit: number): readonly Message[];
  /** Notes that all messages up to that number have an outcome. */
  settle(id: number): void;
  /** Stops the timer. Returns how many messages are lost with this object. */
  close(): number;
}

/** Messages that wait in memory, up to a limit. */
export class WaitingInMemory implements Waiting {
  readonly #max: number;
  readonly #epochs = [{ firstId: 1, epoch: crypto.randomUUID() as string }];
  #sentId = 0;
  // Those from `#head` on wait. A `shift` for each would copy the whole list.
  #messages: Message[] = [];
  #head = 0;
  #bytes = 0;
  #closed = false;
  lastId = 0;
  settledId = 0;

  constructor(max: number) {
    this.#max = max;
  }

  epochOf(id: number): string {
    return this.#epochs.findLast(({ firstId }) => firstId <= id)?.epoch ?? "";
  }

  beginEpoch(firstId: number): Promise<void> {
    this.#epochs.push({ firstId, epoch: crypto.randomUUID() });
    return Promise.resolve();
  }

  send(id: number): boolean {
    const isNew = id > this.#sentId;
    if (isNew) this.#sentId = id;
    return isNew;
  }

  add(messages: readonly Message[]): number {
    let rejected = 0;
    for (const { time, datagram } of messages) {
      const bytes = this.#bytes + datagram.data.length;
      if (
        this.#closed || bytes > MAX_BYTES ||
        this.lastId - this.settledId >= this.#max
      ) {
        rejected++;
        continue;
      }
      this.#bytes = bytes;
      this.#messages.push({ id: ++this.lastId, time, datagram });
    }
    return rejected;
  }

  after(id: number, limit: number): readonly Message[] {
    const start = this.#head + id - this.settledId;
    return this.#messages.slice(start, start + limit);
  }

  settle(id: number): void {
    const count = Math.max(0, id - this.settledId);
    const settled = this.#messages.slice(this.#head, this.#head + count);
    for (const { datagram } of settled) this.#bytes -= datagram.data.length;
    this.#head += settled.length;
    this.settledId += settled.length;
    if (this.#head > 1024 && this.#head * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#head);
      this.#head = 0;
    }
  }

  close(): number {
    const lost = this.lastId - this.settledId;
    this.settle(this.lastId);
    this.#closed = true;
    return lost;
  }
}

/** Messages that wait in a log, which saves how far they were published. */
export class WaitingInLog implements Waiting {
  readonly #log: CheckpointedLog;
  readonly #destination: string;
  readonly #warnings: Warnings;
  #savedId: number;
  // The highest number that the broker may have.
  #sentId: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  lastId: number;
  settledId: number;

  constructor(log: CheckpointedLog, destination: string, warnings: Warnings) {
    this.#log = log;
    this.#destination = destination;
    this.#warnings = warnings;
    this.#savedId = this.settledId = log.checkpoint(destination);
    this.lastId = this.#sentId = Math.max(log.lastId, this.settledId);
  }

  epochOf(id: number): string {
    return this.#log.epochOf?.(id) ?? this.#log.identity;
  }

  async beginEpoch(id: number): Promise<void> {
    await this.#log.beginEpoch?.(id);
  }

  send(id: number): boolean {
    if (id <= this.#sentId) return false;
    this.#sentId = id;
    return this.#log.beginEpoch !== undefined;
  }

  add(messages: readonly Message[]): number {
    this.lastId = Math.max(this.lastId, messages.at(-1)?.id ?? 0);
    return 0;
  }

  after(id: number, limit: number): readonly Message[] {
    try {
      return this.#log.after(id, limit);
    } catch (cause) {
      const message = `the store cannot be read: ${reasonOf(cause)}`;
      throw new Error(message, { cause });
    }
  }

  settle(id: number): void {
    this.settledId = id;
    if (id - this.#savedId >= CHECKPOINT_MESSAGES) return this.#save();
    this.#timer ??= setTimeout(() => this.#save(), CHECKPOINT_MS);
  }

  close(): number {
    this.#save();
    return 0;
  }

  #save(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.settledId === this.#savedId) return;
    try {
      this.#log.saveCheckpoint(this.#destination, this.settledId);
      this.#savedId = this.settledId;
      this.#warnings.over("checkpoint");
    } catch (error) {
      // Without it the messages are published again, as duplicates.
      this.#warnings.once(
        "checkpoint",
        `Cannot save in the store how far NATS has its messages: ${
          reasonOf(error)
        }`,
      );
    }
  }
}
