import { failure } from "../errors.ts";
import { aside } from "./program.ts";

// Bytes that may wait for a slow reader of standard output before writers wait.
const HIGH_WATER_MARK = 256 * 1024;

/**
 * Standard output for many small writes: bytes that are given during a write go
 * out with the next one, in order.
 */
export class Output {
  #waiting: Uint8Array[] = [];
  #size = 0;
  #writing: Promise<void> = Promise.resolve();
  #busy = false;
  #failed = false;

  /**
   * Takes the bytes.
   *
   * @returns A promise if the caller must wait, because too many bytes do. It
   * rejects if writing failed.
   */
  write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#failed) return this.#writing;
    this.#waiting.push(bytes);
    this.#size += bytes.length;
    if (!this.#busy) {
      this.#busy = true;
      this.#writing = this.#drain();
      // The next write or flush rejects.
      this.#writing.catch(() => this.#failed = true);
    }
    return this.#size > HIGH_WATER_MARK ? this.#writing : undefined;
  }

  /** Resolves when everything is written. */
  flush(): Promise<void> {
    return this.#writing;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = new Uint8Array(this.#size);
      let offset = 0;
      for (const bytes of this.#waiting) {
        batch.set(bytes, offset);
        offset += bytes.length;
      }
      this.#waiting = [];
      this.#size = 0;
      await aside(() => writeAll(batch));
    }
    this.#busy = false;
  }
}

async function writeAll(bytes: Uint8Array): Promise<void> {
  try {
    for (let done = 0; done < bytes.length;) {
      done += await Deno.stdout.write(bytes.subarray(done));
    }
  } catch (error) {
    throw failure("write to standard output", error);
  }
}
