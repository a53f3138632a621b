// How long a receiver should take for one batch, in which nothing can interrupt
// it.
const BATCH_MS = 1;
const MOST = 32 * 64;
// By which factor the estimate of the fixed cost grows per batch, so that it
// forgets exceptions.
const FORGETTING = 1.02;

/**
 * Adapts the number of datagrams per batch to the time that the receiver takes
 * for them: a fast receiver is given many, one that takes 0.2 ms per datagram a
 * few at a time. A fixed cost per batch, such as that of a transaction, cannot
 * be saved by smaller batches, so batches may take twice as long as that.
 */
export class Pace {
  #limit = 1;
  #given = 0;
  #at = 0;
  // The shortest time for a batch: at least its fixed cost.
  #shortest = Infinity;
  // Fires when the receiver lets the event loop turn.
  #turned: ReturnType<typeof setImmediate> | undefined;

  /** How many datagrams the next batch may hold. */
  get limit(): number {
    return this.#limit;
  }

  /** Notes that the receiver asks for the next batch. */
  asked(): void {
    const given = this.#given;
    if (given === 0) return;
    this.#given = 0;
    const ms = performance.now() - this.#at;
    const wasBlocked = this.#turned !== undefined;
    this.stop();
    this.#shortest = Math.min(this.#shortest * FORGETTING, ms);
    const allowed = Math.max(BATCH_MS, 2 * this.#shortest);
    if (wasBlocked && ms > allowed) {
      this.#limit = Math.max(1, Math.floor(given * allowed / ms));
    } else if (given >= this.#limit) {
      this.#limit = Math.min(MOST, 2 * this.#limit);
    }
  }

  /** Notes that a batch was given to the receiver. */
  gave(datagrams: number): void {
    this.#given = datagrams;
    this.#at = performance.now();
    // A single datagram cannot be divided.
    if (datagrams === 1) return;
    this.#turned ??= setImmediate(() => this.#turned = undefined);
  }

  /** Ends the measurement. */
  stop(): void {
    if (this.#turned === undefined) return;
    clearImmediate(this.#turned);
    this.#turned = undefined;
  }
}
