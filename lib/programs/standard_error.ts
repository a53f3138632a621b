import { count } from "../count.ts";

// What may wait for a slow reader; further lines are left out.
const MAX_WAITING = 256 * 1024;
// Goes to the beginning of a terminal's line, and erases it.
const ERASE = "\r\x1b[K";

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
  // The last line, without a line break: what it shows, and what it should.
  #shown = "";
  #status = "";
  #hiding = 0;

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

  /**
   * Shows a text below all lines, in place of the one before: only for a terminal.
   * It neither waits nor throws.
   *
   * @param text Without a line break, and no longer than a line. `""` shows none.
   */
  show(text: string): void {
    if (this.#hiding > 0) return;
    this.#status = text;
    if (this.#shown !== text) this.#writing ??= this.#drain();
  }

  /** Runs what writes to the same terminal, while no text is shown below. */
  async aside<T>(write: () => Promise<T>): Promise<T> {
    const isShown = this.#shown !== "";
    this.show("");
    this.#hiding++;
    try {
      if (isShown) await this.#writing;
      return await write();
    } finally {
      this.#hiding--;
    }
  }

  /** Resolves when all lines are written or left out, or after so long. */
  async flush(ms: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, ms);
    await Promise.race([this.#writing, late.promise]);
    clearTimeout(timer);
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0 || this.#shown !== this.#status) {
      const lines = this.#waiting;
      const missing = this.#missing;
      this.#waiting = [];
      this.#missing = 0;
      const note = missing > 0
        ? [`(${count(missing, "line")} missing here)`]
        : [];
      const text = [...note, ...lines].map((line) => `${line}\n`).join("");
      const erase = this.#shown === "" ? "" : ERASE;
      this.#shown = this.#status;
      try {
        await this.#writeAll(
          new TextEncoder().encode(erase + text + this.#shown),
        );
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
