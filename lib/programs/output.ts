import { failure } from "../errors.ts";
import { reasonOf } from "../warnings.ts";
import { aside } from "./program.ts";

// Bytes that may wait for a slow reader of standard output before writers wait.
const HIGH_WATER_MARK = 256 * 1024;
// A write that is not finished at the end is not counted, so none is larger.
const MAX_BATCH = 1024 * 1024;

/** How an {@linkcode Output} is written. */
export interface OutputOptions {
  /** Writes some of the bytes, and resolves with how many. */
  write?: ((bytes: Uint8Array) => Promise<number>) | undefined;
  /** Called when writing has failed. */
  onFailure?: ((error: Error) => void) | undefined;
}

/**
 * Standard output for many small writes: bytes that are given during a write go
 * out with the next one, in order.
 */
export class Output {
  readonly #write: (bytes: Uint8Array) => Promise<number>;
  readonly #onFailure: ((error: Error) => void) | undefined;
  #waiting: Uint8Array[] = [];
  // What is being written: several of those that waited.
  #batch: { rest: Uint8Array; count: number } | undefined;
  #size = 0;
  #written = 0;
  #writing: Promise<void> = Promise.resolve();
  #isBusy = false;
  #isFailed = false;

  constructor({ write, onFailure }: OutputOptions = {}) {
    this.#write = write ?? toStandardOutput();
    this.#onFailure = onFailure;
  }

  /** How many bytes are not written so far. */
  get size(): number {
    return this.#size;
  }

  /** How many times what was given to `write` has been written. */
  get written(): number {
    return this.#written;
  }

  /**
   * Takes the bytes. After a failure they wait until `retry` is called.
   *
   * @returns A promise if the caller must wait, because too many bytes do. It
   * rejects if writing failed.
   */
  write(bytes: Uint8Array): Promise<void> | undefined {
    this.#waiting.push(bytes);
    this.#size += bytes.length;
    if (!this.#isFailed) this.#start();
    const mustWait = this.#isFailed || this.#size > HIGH_WATER_MARK;
    return mustWait ? this.#writing : undefined;
  }

  /** Resolves when everything is written; rejects if that failed. */
  flush(): Promise<void> {
    return this.#writing;
  }

  /** Goes on after a failure with what could not be written. */
  retry(): void {
    this.#isFailed = false;
    this.#start();
  }

  #start(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#writing = this.#drain();
    // The next write or flush rejects.
    this.#writing.catch((error) => {
      this.#isFailed = true;
      this.#isBusy = false;
      this.#onFailure?.(error);
    });
  }

  async #drain(): Promise<void> {
    while (this.#batch !== undefined || this.#waiting.length > 0) {
      const batch = this.#batch ??= this.#take();
      while (batch.rest.length > 0) {
        const written = await this.#writeSome(batch.rest);
        batch.rest = batch.rest.subarray(written);
        this.#size -= written;
      }
      this.#written += batch.count;
      this.#batch = undefined;
    }
    this.#isBusy = false;
  }

  async #writeSome(bytes: Uint8Array): Promise<number> {
    try {
      return await this.#write(bytes);
    } catch (error) {
      throw failure("write to standard output", error);
    }
  }

  /** Takes what waits, at least one and as many as fit into a batch. */
  #take(): { rest: Uint8Array; count: number } {
    let size = 0;
    let count = 0;
    for (const { length } of this.#waiting) {
      if (count > 0 && size + length > MAX_BATCH) break;
      size += length;
      count++;
    }
    const rest = new Uint8Array(size);
    let offset = 0;
    for (const bytes of this.#waiting.splice(0, count)) {
      rest.set(bytes, offset);
      offset += bytes.length;
    }
    return { rest, count };
  }
}

/** Writes to standard output. A terminal that is gone is one that was closed. */
function toStandardOutput(): (bytes: Uint8Array) => Promise<number> {
  const isTerminal = Deno.stdout.isTerminal();
  return async (bytes) => {
    try {
      return await aside(() => Deno.stdout.write(bytes));
    } catch (error) {
      // EIO of a file is a fault of the disk.
      if (!isTerminal || !reasonOf(error).includes("os error 5)")) throw error;
      throw new Deno.errors.BrokenPipe("the terminal was closed");
    }
  };
}
