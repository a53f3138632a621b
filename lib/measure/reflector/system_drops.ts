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
  readonly #arrivals: () => number;
  #next: Promise<number | undefined> | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #freeAt = -Infinity;
  // What was read last, and how many had arrived. A new socket has dropped none.
  #last = 0;
  #lastArrivals = 0;
  #endWait = () => {};
  #isClosed = false;

  /**
   * @param read Reads the count. Must not reject.
   * @param arrivals Returns how many datagrams have arrived.
   */
  constructor(
    read: () => Promise<number | undefined>,
    clock: Clock,
    arrivals: () => number,
  ) {
    this.#read = read;
    this.#clock = clock;
    this.#arrivals = arrivals;
  }

  /**
   * Returns what the system had dropped before a datagram arrived, if it is the
   * first one since the last reading; `undefined` if it is not.
   *
   * @param arrivals How many had arrived before it.
   */
  before(arrivals: number): number | undefined {
    return this.#lastArrivals === arrivals ? this.#last : undefined;
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
    const arrivals = this.#arrivals();
    this.#freeAt = this.#clock.now() + PAUSE_MS;
    const reading = this.#read();
    this.#running = reading;
    const count = await reading;
    if (count !== undefined) {
      this.#last = count;
      this.#lastArrivals = arrivals;
    }
    return count;
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
