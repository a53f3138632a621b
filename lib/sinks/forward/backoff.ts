import type { Clock } from "../../clock.ts";

const FIRST_MS = 100;
const MOST_MS = 5000;

/**
 * The pauses between attempts: each twice as long as the one before, up to 5
 * seconds, and up to half longer by chance, so that many do not try in step.
 */
export class Backoff {
  readonly #clock: Clock;
  #ms = FIRST_MS;
  #end = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Waits before the next attempt. */
  async pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(
      this.#ms * (1 + Math.random() / 2),
      resolve,
    );
    this.#end = resolve;
    this.#ms = Math.min(this.#ms * 2, MOST_MS);
    await promise;
    cancel();
  }

  /** Ends the pause, if there is one. */
  hurry(): void {
    this.#end();
  }

  /** The next pause is the shortest. */
  reset(): void {
    this.#ms = FIRST_MS;
  }
}
