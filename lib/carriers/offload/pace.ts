import { performance } from "../../platform.ts";
import { turnCount } from "../../turns.ts";

// How long a receiver should take for one batch, in which nothing can interrupt
// it.
const BATCH_MS = 1;
const MOST = 32 * 128;
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
  #turn = 0;
  // The shortest time for a batch: at least its fixed cost.
  #shortest = Infinity;

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
    this.#shortest = Math.min(this.#shortest * FORGETTING, ms);
    const allowed = Math.max(BATCH_MS, 2 * this.#shortest);
    // If there was a turn, it did other things meanwhile.
    const isSlow = ms > allowed && turnCount() === this.#turn;
    if (isSlow) {
      this.#limit = Math.max(1, Math.floor(given * allowed / ms));
    } else if (given >= this.#limit) {
      this.#limit = Math.min(MOST, 2 * this.#limit);
    }
  }

  /** Notes that a batch was given to the receiver. */
  gave(datagrams: number): void {
    // A single one where more were allowed tells nothing.
    if (datagrams === 1 && this.#limit > 1) return;
    this.#given = datagrams;
    this.#turn = turnCount();
    this.#at = performance.now();
  }
}
