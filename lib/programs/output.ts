import { failure } from "../errors.ts";

// What may wait for a slow reader of standard output before we wait for it.
const HIGH_WATER_MARK = 256 * 1024;

/**
 * Standard output for many small writes: what comes while one is under way goes
 * out with the next, in order.
 */
export class Output {
  #waiting: Uint8Array[] = [];
  #size = 0;
  #writing: Promise<void> = Promise.resolve();
  #busy = false;
  #failed = false;

  /**
   * Takes the bytes. Wait for the promise where there is one: then too much
   * waits, or writing failed, with which it rejects.
   */
  write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#failed) return this.#writing;
    this.#waiting.push(bytes);
    this.#size += bytes.length;
    if (!this.#busy) {
      this.#busy = true;
      this.#writing = this.#drain();
      // The next write or flush tells.
      this.#writing.catch(() => this.#failed = true);
    }
    return this.#size > HIGH_WATER_MARK ? this.#writing : undefined;
  }

  /** Resolves when all is written. */
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
      await writeAll(batch);
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
