// How long offload sockets may work between two turns of the event loop.
const TURN_MS = 2;
// The timer that shows a turn: tokio's timers are late by up to 1 ms.
const TIMER_MS = 1;

/**
 * Divides the event loop between all offload sockets of a thread and everything
 * else. It measures time: neither the size of what arrives nor what the program
 * does with it is known beforehand. Only a timer that fires shows that the event
 * loop has turned: while it has other work, Deno looks at timers and sockets only
 * once in 61 rounds (tokio's event interval).
 */
export class Turns {
  #since: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Asks for time to work.
   *
   * @returns Whether the event loop has to turn first.
   */
  areDue(): boolean {
    const now = performance.now();
    if (this.#since !== undefined) return now - this.#since >= TURN_MS;
    this.#since = now;
    this.#timer = setTimeout(this.#fired, TIMER_MS);
    Deno.unrefTimer(this.#timer as unknown as number);
    return false;
  }

  /** Stops the timer, at the end. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#fired();
  }

  readonly #fired = (): void => {
    this.#timer = undefined;
    this.#since = undefined;
  };
}
