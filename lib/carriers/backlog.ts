import { errors } from "../errors.ts";
import { performance } from "../platform.ts";
import { round } from "../turns.ts";

/** At that many bytes nothing more is read from the peer. */
export const READ_LIMIT: number = 64 * 1024;
/** At that many bytes sends to the peer reject. */
export const SEND_LIMIT: number = 1024 * 1024;
const TOTAL_LIMIT = 64 * 1024 * 1024;
// Messages that are longer than that share the total in less than four parts.
const LONGEST_IN_TOTAL = 4;
const PIECE = 64 * 1024;
// So much is not gathered any more: most of it leaves at once.
const GATHERED = 4096;
// What a message costs besides its bytes, so that empty ones are bounded too.
const OVERHEAD = 64;
const NOTHING = new Uint8Array();

/** What a backlog needs of its connection. */
export interface Outlet {
  /**
   * Whether short messages of one turn of the event loop are written together:
   * the system would hold back the second.
   * @default {false}
   */
  readonly gathers?: boolean;
  /** Writes the first of the bytes. @returns How many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Called when a write failed; the backlog has ended. */
  broken(error: unknown): void;
  /** Called when the peer must not be read from any more, and when it may again. */
  behind(isBehind: boolean): void;
  /** Closes the connection, because all backlogs together are too long. */
  overflow(): void;
}

/** All backlogs of a carrier: what they hold together is bounded. */
export class Backlogs {
  readonly #all = new Set<Backlog>();
  readonly #limit: number;
  #held = 0;

  /** @param longest The longest message in bytes, encoded. */
  constructor(longest: number) {
    this.#limit = Math.max(TOTAL_LIMIT, LONGEST_IN_TOTAL * longest);
  }

  /** How many bytes all of them hold. */
  get held(): number {
    return this.#held;
  }

  /** Makes room for more bytes: the peers with the longest backlogs pay. */
  reserve(bytes: number): void {
    this.#held += bytes;
    while (this.#held > this.#limit) {
      const longest = this.#longest();
      if (longest === undefined) return;
      longest.overflow();
    }
  }

  /** Gives room back. */
  release(bytes: number): void {
    this.#held -= bytes;
  }

  /** Adds a backlog. */
  add(backlog: Backlog): void {
    this.#all.add(backlog);
  }

  /** Removes a backlog that has ended. */
  delete(backlog: Backlog): void {
    this.#all.delete(backlog);
  }

  #longest(): Backlog | undefined {
    let longest: Backlog | undefined;
    for (const backlog of this.#all) {
      if (backlog.held > (longest?.held ?? 0)) longest = backlog;
    }
    return longest;
  }
}

/**
 * The messages that wait to be sent on one connection. They are written as fast
 * as the peer takes them, many small ones at once. A peer that does not take
 * them delays no other: at 64 KiB it is not read from, at 1 MiB sends to it
 * reject.
 */
export class Backlog {
  /** How many bytes wait, with the overhead of each message. */
  held = 0;
  /** How many bytes were written. */
  written = 0;
  readonly #outlet: Outlet;
  readonly #all: Backlogs;
  readonly #waiting: Uint8Array[] = [];
  // The first message that is not written whole, and how much of it is.
  #first = 0;
  #offset = 0;
  #movedAt = 0;
  #isBehind = false;
  #isEnded = false;
  #isWriting = false;
  #isGathering = false;
  #onEmpty: PromiseWithResolvers<void> | undefined;

  constructor(outlet: Outlet, all: Backlogs) {
    this.#outlet = outlet;
    this.#all = all;
    all.add(this);
  }

  /** How many messages wait. */
  get length(): number {
    return this.#waiting.length - this.#first;
  }

  /** Whether it is so long that nothing more is read from the peer. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /**
   * When a byte was written last, or began to wait in an empty backlog: a time of
   * `performance.now()`, 0 if there was no message yet.
   */
  get movedAt(): number {
    return this.#movedAt;
  }

  /** Whether messages wait, and for how long no byte of them was written. */
  isStalled(now: number, ms: number): boolean {
    return this.length > 0 && now - this.#movedAt > ms;
  }

  /**
   * Adds a message. Its bytes must not change afterwards.
   *
   * @throws {Deno.errors.Busy} Too much waits already.
   * @throws {Deno.errors.NotConnected} The connection has ended.
   */
  push(message: Uint8Array): void {
    if (this.held >= SEND_LIMIT) {
      throw new errors.Busy(
        `the peer does not take its messages: ${this.length} wait already, ${this.held} bytes`,
      );
    }
    const cost = message.length + OVERHEAD;
    this.#all.reserve(cost);
    if (this.#isEnded) {
      this.#all.release(cost);
      throw new errors.NotConnected("the connection is closed");
    }
    this.held += cost;
    this.#waiting.push(message);
    this.#setBehind();
    if (this.#isWriting) return;
    if (this.length === 1) this.#movedAt = performance.now();
    if (this.#outlet.gathers && this.held < GATHERED) this.#gather();
    else this.#write();
  }

  /**
   * Resolves when all messages are written.
   *
   * @throws What a write fails with.
   */
  flushed(): Promise<void> {
    if (this.length === 0 || this.#isEnded) return Promise.resolve();
    this.#onEmpty ??= Promise.withResolvers();
    return this.#onEmpty.promise;
  }

  /** Closes the connection. */
  overflow(): void {
    this.#outlet.overflow();
    // Whatever the outlet does, it no longer counts.
    this.end();
  }

  /**
   * Drops the messages.
   *
   * @returns How many were not written whole; 0 if it has ended already.
   */
  end(error?: unknown): number {
    if (this.#isEnded) return 0;
    const unsent = this.length;
    this.#isEnded = true;
    this.#all.release(this.held);
    this.#all.delete(this);
    this.held = 0;
    this.#isBehind = false;
    this.#waiting.length = this.#first = this.#offset = 0;
    if (error === undefined) this.#onEmpty?.resolve();
    else this.#onEmpty?.reject(error);
    return unsent;
  }

  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    round().then(() => {
      this.#isGathering = false;
      if (!this.#isWriting) this.#write();
    });
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    try {
      while (this.length > 0) {
        const written = await this.#outlet.write(this.#piece());
        if (this.#isEnded) return;
        this.#movedAt = performance.now();
        this.#advance(written);
      }
      this.#onEmpty?.resolve();
      this.#onEmpty = undefined;
    } catch (error) {
      if (!this.#isEnded) this.#outlet.broken(error);
    } finally {
      this.#isWriting = false;
    }
  }

  /** Returns the next bytes: a part of the first message, or several whole ones. */
  #piece(): Uint8Array {
    const first = this.#waiting[this.#first] ?? NOTHING;
    const rest = first.length - this.#offset;
    if (this.length === 1 || rest >= PIECE) {
      return first.subarray(this.#offset, this.#offset + PIECE);
    }
    const parts = [first.subarray(this.#offset)];
    let size = rest;
    for (let i = this.#first + 1; i < this.#waiting.length; i++) {
      const next = this.#waiting[i] ?? NOTHING;
      if (size + next.length > PIECE) break;
      parts.push(next);
      size += next.length;
    }
    if (parts.length === 1) return parts[0] ?? NOTHING;
    const piece = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      piece.set(part, at);
      at += part.length;
    }
    return piece;
  }

  /** Removes what was written. */
  #advance(written: number): void {
    this.written += written;
    let freed = written;
    for (let left = written; this.length > 0;) {
      const rest = (this.#waiting[this.#first]?.length ?? 0) - this.#offset;
      if (rest > left) {
        this.#offset += left;
        break;
      }
      left -= rest;
      freed += OVERHEAD;
      this.#offset = 0;
      this.#waiting[this.#first++] = NOTHING;
    }
    if (this.length === 0) this.#waiting.length = this.#first = 0;
    else if (this.#first >= 1024) {
      this.#waiting.splice(0, this.#first);
      this.#first = 0;
    }
    this.held -= freed;
    this.#all.release(freed);
    this.#setBehind();
  }

  #setBehind(): void {
    const isBehind = this.held >= READ_LIMIT;
    if (isBehind === this.#isBehind) return;
    this.#isBehind = isBehind;
    this.#outlet.behind(isBehind);
  }
}
