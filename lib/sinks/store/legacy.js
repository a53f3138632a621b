// @ts-check
// What a file that is no longer a store's leaves to the next one.
import { Kept } from "./kept.js";

/**
 * @typedef {import("./rows.js").Batch} Batch
 * @typedef {import("./fate.js").Fate} Fate
 * @typedef {import("./database.js").Database} Database
 */

/** @type {readonly Fate[]} */
const COMPLETE = ["moved", "torn", "left", "saved"];

/** What became of the file before, and what was stored in it a moment ago. */
export class Legacy {
  #kept = new Kept();
  /** @type {{ fate: Fate, lost: number } | undefined} */
  #left;

  /** Whether it is time to fold the log into the file. */
  get isFull() {
    return this.#kept.isFull;
  }

  /** What became of the file before, while that is not reported. */
  get fate() {
    return this.#left?.fate;
  }

  /** How many messages are lost with it, unless they are written again. */
  get lost() {
    return this.#left?.lost ?? 0;
  }

  /** Notes that a batch is stored. @param {Batch} batch */
  keep(batch) {
    this.#kept.add(batch);
  }

  /**
   * Notes that the log is folded into the file.
   *
   * @returns Whether nothing is kept any more.
   */
  forget() {
    return this.#kept.forget();
  }

  /**
   * Notes what became of a file.
   *
   * @param {Fate} fate
   * @param {number} size How many messages are in it, at most.
   */
  leave(fate, size) {
    this.#left = { fate, lost: this.lossOf(fate, size) };
  }

  /** @param {Fate} fate @param {number} size */
  lossOf(fate, size) {
    if (COMPLETE.includes(fate)) return 0;
    return fate === "severed" ? this.#kept.size : size;
  }

  /**
   * Writes again what is lost with the file before.
   *
   * @param {Database} next
   * @returns {{ fate: Fate, gone: number } | undefined} What is to be reported.
   */
  pass(next) {
    if (this.#left === undefined) return undefined;
    const { fate, lost } = this.#left;
    let gone = lost;
    if (lost > 0) {
      const before = next.size === 0 ? 0 : next.lastId;
      for (const batch of this.#kept.batches) {
        next.store(batch, true);
        gone -= batch.ids.filter((id) => id > before).length;
      }
    }
    this.#left = undefined;
    return { fate, gone: Math.max(0, gone) };
  }
}
