import { count } from "../../count.ts";
import { systemClock } from "../../clock.ts";
import { settles } from "../../socket/peer_lines.ts";
import { reasonOf } from "../../warnings.ts";
import { Output } from "../output.ts";
import { say } from "../program.ts";

// How long the end waits for the reader of the result.
const PRINT_MS = 3000;
// What may wait for a reader that nobody must wait for.
const MAX_WAITING = 128 * 1024;

/** Lines on standard output. */
export class Printed {
  readonly #output = new Output();
  readonly #encoder = new TextEncoder();
  readonly #isNeeded: boolean;
  #isClosed = false;
  #leftOut = 0;

  /**
   * @param isNeeded Whether the program has no other use than to print. If not, it
   * goes on when nobody reads any more, or the disk is full, and lines are left out
   * rather than waited for.
   */
  constructor(isNeeded: boolean) {
    this.#isNeeded = isNeeded;
  }

  /**
   * Prints lines; waits only if too many wait.
   *
   * @throws Standard output cannot be written, and is needed.
   */
  async print(lines: readonly string[]): Promise<void> {
    if (this.#isClosed || lines.length === 0) return;
    if (!this.#isNeeded && this.#output.size > MAX_WAITING) {
      this.#leftOut += lines.length;
      return;
    }
    const text = lines.map((line) => `${line}\n`).join("");
    await this.#attempt(this.#output.write(this.#encoder.encode(text)));
  }

  /** Waits until all is written, for three seconds at most. */
  async flush(): Promise<void> {
    if (this.#isClosed) return;
    if (this.#leftOut > 0) {
      say(`${count(this.#leftOut, "line")} left out: nobody reads the output`);
    }
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
      if (this.#isNeeded) throw error;
      this.#isClosed = true;
      if (!(error instanceof Deno.errors.BrokenPipe)) say(reasonOf(error));
    }
  }
}
