import { systemClock } from "../../clock.ts";
import { settles } from "../../socket/peer_lines.ts";
import { Output } from "../output.ts";

// How long the end waits for the reader of the result.
const PRINT_MS = 3000;

/** Lines on standard output. */
export class Printed {
  readonly #output = new Output();
  readonly #encoder = new TextEncoder();
  readonly #isNeeded: boolean;
  #isClosed = false;

  /**
   * @param isNeeded Whether the program has no other use than to print. If not, it
   * goes on when nobody reads any more.
   */
  constructor(isNeeded: boolean) {
    this.#isNeeded = isNeeded;
  }

  /**
   * Prints lines; waits only if too many wait.
   *
   * @throws {Deno.errors.BrokenPipe} Standard output was closed, and is needed.
   */
  async print(lines: readonly string[]): Promise<void> {
    if (this.#isClosed || lines.length === 0) return;
    const text = lines.map((line) => `${line}\n`).join("");
    await this.#attempt(this.#output.write(this.#encoder.encode(text)));
  }

  /** Waits until all is written, for three seconds at most. */
  async flush(): Promise<void> {
    if (this.#isClosed) return;
    const flushed = this.#output.flush();
    // Nobody may read it any more.
    if (await settles(flushed, PRINT_MS, systemClock)) {
      await this.#attempt(flushed);
    }
  }

  async #attempt(writing: Promise<void> | undefined): Promise<void> {
    try {
      await writing;
    } catch (error) {
      this.#isClosed = error instanceof Deno.errors.BrokenPipe &&
        !this.#isNeeded;
      if (!this.#isClosed) throw error;
    }
  }
}
