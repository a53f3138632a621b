import { clearTimeout, setTimeout } from "../platform.ts";

/** The limits of an attempt to connect: a time, and a signal. Disposing ends them. */
export class DialLimits implements Disposable {
  /** Whether the attempt was given up. */
  isOver = false;
  /** Why: the error for the time limit, or `signal.reason`. */
  why: unknown;
  readonly #giveUp: () => void;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #abort = () => this.#end(this.#signal?.reason);

  /**
   * @param ms The time limit in milliseconds, or `Infinity`.
   * @param late The error for it.
   * @param giveUp Called once, when a limit is reached.
   */
  constructor(
    ms: number,
    late: Error,
    signal: AbortSignal | undefined,
    giveUp: () => void,
  ) {
    this.#giveUp = giveUp;
    this.#signal = signal;
    if (ms !== Infinity) this.#timer = setTimeout(() => this.#end(late), ms);
    if (signal?.aborted) this.#abort();
    else signal?.addEventListener("abort", this.#abort);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#abort);
  }

  #end(why: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    this.why = why;
    this.#giveUp();
  }
}
