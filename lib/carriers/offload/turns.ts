// How long offload sockets may work between two turns of the event loop.
const TURN_MS = 2;

/**
 * Divides the event loop between all offload sockets of a thread and everything
 * else. It measures time: neither the size of what arrives nor what the program
 * does with it is known beforehand.
 */
export class Turns {
  /** Whether nobody may work, because the event loop has to have no work. */
  isPaused = false;
  #count = 0;
  // When work began, after the last turn.
  #since = 0;
  #immediate: ReturnType<typeof setImmediate> | undefined;
  #next: PromiseWithResolvers<void> | undefined;

  /** How many turns there were. */
  get count(): number {
    return this.#count;
  }

  /**
   * Asks for time to work.
   *
   * @returns Whether the event loop has to turn first.
   */
  areDue(): boolean {
    if (this.isPaused) return true;
    const now = performance.now();
    if (this.#immediate !== undefined) return now - this.#since >= TURN_MS;
    this.#since = now;
    this.#immediate = setImmediate(this.#turned);
    return false;
  }

  /** Resolves at the next turn: timers have fired by then. */
  next(): Promise<void> {
    this.#immediate ??= setImmediate(this.#turned);
    this.#next ??= Promise.withResolvers();
    return this.#next.promise;
  }

  /** Ends it. */
  stop(): void {
    this.isPaused = false;
    clearImmediate(this.#immediate);
    this.#turned();
  }

  readonly #turned = (): void => {
    this.#count++;
    this.#immediate = undefined;
    this.#next?.resolve();
    this.#next = undefined;
  };
}
