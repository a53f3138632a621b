import type { Clock } from "../clock.ts";

// How much of the time answers and sinks have before the sinks are closed.
const FLUSH_SHARE = 0.8;

/** How long the end of a collector may take. */
export class EndLimit {
  readonly #clock: Clock;
  readonly #flush = new AbortController();
  readonly #close = new AbortController();
  #cancel = () => {};
  #isOver = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Aborts when answers and sinks are not waited for any longer. */
  get flush(): AbortSignal {
    return this.#flush.signal;
  }

  /** Aborts when the sinks have to be closed. */
  get close(): AbortSignal {
    return this.#close.signal;
  }

  /** Whether everything has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Sets how long the end may take from now on; `undefined` for any time. */
  within(ms: number | undefined): void {
    this.#cancel();
    if (ms === undefined || this.#isOver) return;
    if (ms === 0) return this.#abort();
    const cancels = [
      this.#clock.after(ms * FLUSH_SHARE, () => this.#flush.abort()),
      this.#clock.after(ms, () => this.#abort()),
    ];
    this.#cancel = () => cancels.forEach((cancel) => cancel());
  }

  /** Everything has ended. */
  over(): void {
    this.#isOver = true;
    this.#cancel();
  }

  #abort(): void {
    this.#flush.abort();
    this.#close.abort();
  }
}
