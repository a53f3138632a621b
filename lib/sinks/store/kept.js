// @ts-check
// What a file that others empty no longer holds.

/** @typedef {import("./rows.js").Batch} Batch */

const MAX_BYTES = 4 * 1024 * 1024;
// What a message costs beyond its bytes.
const OVERHEAD = 64;

/** The batches that were stored since the last checkpoint, and since the one before. */
export class Kept {
  /** @type {Batch[]} */
  #before = [];
  /** @type {Batch[]} */
  #since = [];
  #bytes = 0;

  get batches() {
    return [...this.#before, ...this.#since];
  }

  /** The number of messages. */
  get size() {
    return this.batches.reduce((sum, { ids }) => sum + ids.length, 0);
  }

  /** Whether it is time for a checkpoint. */
  get isFull() {
    return this.#bytes > MAX_BYTES;
  }

  /** @param {Batch} batch */
  add(batch) {
    this.#since.push(batch);
    this.#bytes += batch.data.length + OVERHEAD * batch.ids.length;
  }

  /**
   * Forgets those before the last checkpoint.
   *
   * @returns Whether none are left.
   */
  forget() {
    this.#before = this.#since;
    this.#since = [];
    this.#bytes = 0;
    return this.#before.length === 0;
  }
}
