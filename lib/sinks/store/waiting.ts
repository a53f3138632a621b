import type { Message } from "../../sink.ts";

// What may wait for the disk; beyond it messages are counted as not stored.
const MAX_BYTES = 32 * 1024 * 1024;
// What a message costs beyond its bytes.
const OVERHEAD = 128;

/** Messages that are being written in one transaction. */
export interface Batch {
  readonly count: number;
  readonly bytes: number;
  readonly lastId: number;
  /** Present only if they are wanted back. */
  readonly messages: readonly Message[] | undefined;
}

/**
 * Messages that are not stored yet, in bounded memory: the batches that are being
 * written, and the counts of all.
 */
export class Waiting {
  readonly #batches: Batch[] = [];
  readonly #flushes: (() => void)[] = [];
  readonly #counts = { stored: 0, waiting: 0, notStored: 0 };
  #bytes = 0;

  /** The numbers of messages: together those that were ever added or left out. */
  get counts(): Readonly<Record<"stored" | "waiting" | "notStored", number>> {
    return { ...this.#counts };
  }

  /** Whether there is room for so many messages of so many bytes. */
  hasRoom(count: number, bytes: number): boolean {
    return this.#bytes + bytes + OVERHEAD * count <= MAX_BYTES;
  }

  /** Counts messages that wait, of so many bytes. */
  add(count: number, size: number): void {
    this.#counts.waiting += count;
    this.#bytes += size + OVERHEAD * count;
  }

  /**
   * Notes that messages, which wait, are being written as one batch.
   *
   * @param isWantedBack Whether `stored` returns them.
   */
  begin(
    messages: readonly Message[],
    size: number,
    isWantedBack: boolean,
  ): void {
    const count = messages.length;
    this.#batches.push({
      count,
      bytes: size + OVERHEAD * count,
      lastId: messages.at(-1)?.id ?? 0,
      messages: isWantedBack ? messages : undefined,
    });
  }

  /** Counts messages that do not wait, and are not stored. */
  leaveOut(count: number): void {
    this.#counts.notStored += count;
  }

  /** Removes the oldest batch, which is stored, and returns it. */
  stored(): Batch {
    const batch = this.#batches.shift()!;
    this.#bytes -= batch.bytes;
    this.#counts.waiting -= batch.count;
    this.#counts.stored += batch.count;
    if (this.#batches.length === 0) this.endFlushes();
    return batch;
  }

  /** Resolves when nothing is being written, or `endFlushes` is called. */
  flush(): Promise<void> {
    if (this.#batches.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#flushes.push(resolve));
  }

  /** Lets those go on that wait for a flush. */
  endFlushes(): void {
    for (const resolve of this.#flushes.splice(0)) resolve();
  }

  /** Counts what waits as not stored. @returns How many messages that are. */
  giveUp(): number {
    const { waiting } = this.#counts;
    this.#counts.notStored += waiting;
    this.#counts.waiting = 0;
    this.#batches.length = 0;
    this.endFlushes();
    return waiting;
  }
}
