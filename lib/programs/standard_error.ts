import { count } from "../count.ts";

// What may wait for a slow reader; further lines are left out.
const MAX_WAITING = 256 * 1024;

/**
 * Standard error, for programs that must go on whatever becomes of it. A reader
 * that has stopped reading holds up no line, and a full disk or a closed terminal
 * ends nothing: lines wait in memory, within a limit, and are left out beyond it.
 * The next line that can be written is preceded by how many are missing.
 */
export class StandardError {
  readonly #write: (bytes: Uint8Array) => Promise<number>;
  #waiting: string[] = [];
  #size = 0;
  #missing = 0;
  #writing: Promise<void> | undefined;

  /** @param write Writes some of the bytes, and resolves with how many. */
  constructor(write = (bytes: Uint8Array) => Deno.stderr.write(bytes)) {
    this.#write = write;
  }

  /** Takes a line, without a line break. It neither waits nor throws. */
  print(line: string): void {
    if (this.#size + line.length > MAX_WAITING) {
      this.#missing++;
      return;
    }
    this.#waiting.push(line);
    this.#size += line.length;
    this.#writing ??= this.#drain();
  }

  /** Resolves when all lines are written or left out, or after so long. */
  async flush(ms: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, ms);
    await Promise.race([this.#writing, late.promise]);
    clearTimeout(timer);
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      const missing = this.#missing;
      this.#waiting = [];
      this.#missing = 0;
      const note = missing > 0
        ? [`(${count(missing, "line")} missing here)`]
        : [];
      const text = [...note, ...lines].map((line) => `${line}\n`).join("");
      try {
        await this.#writeAll(new TextEncoder().encode(text));
      } catch {
        this.#missing += missing + lines.length;
      }
      this.#size = this.#waiting.reduce((sum, line) => sum + line.length, 0);
    }
    this.#writing = undefined;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      done += await this.#write(bytes.subarray(done));
    }
  }
}
