import type { Clock } from "../../clock.ts";

// Reading takes some milliseconds of a program's time.
const PAUSE_MS = 100;

/**
 * Reads how many datagrams the system dropped, at most once in 100 ms, however
 * many ask. What is read was not read before it was asked for.
 */
export class SystemDrops {
  readonly #read: () => Promise<number | undefined>;
  readonly #clock: Clock;
  #next: Promise<number | undefined> | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #freeAt = -Infinity;
  #endWait = () => {};
  #isClosed = false;

  /** @param read Reads the count. Must not reject. */
  constructor(read: () => Promise<number | undefined>, clock: Clock) {
    this.#read = read;
    this.#clock = clock;
  }

  /** Returns the count; `undefined` if it is unknown. */
  read(): Promise<number | undefined> {
    return this.#next ??= this.#start(this.#running);
  }

  /**
   * Ends the wait for the next reading: from now on the count is unknown. Resolves
   * when no reading runs.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endWait();
    await this.#next;
    await this.#running;
  }

  async #start(running: Promise<unknown>): Promise<number | undefined> {
    await running;
    const ms = this.#freeAt - this.#clock.now();
    if (ms > 0 && !this.#isClosed) await this.#wait(ms);
    this.#next = undefined;
    if (this.#isClosed) return undefined;
    this.#freeAt = this.#clock.now() + PAUSE_MS;
    const reading = this.#read();
    this.#running = reading;
    return await reading;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, resolve);
      this.#endWait = () => {
        cancel();
        resolve();
      };
    });
  }
}
