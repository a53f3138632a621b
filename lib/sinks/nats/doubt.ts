/** Messages that were sent, while nobody knows whether the stream has them. */
export interface Unacknowledged {
  /** The number of the last of them. */
  readonly lastId: number;
  /** When the first of them was sent, in milliseconds. */
  readonly since: number;
}

/**
 * Which messages a stream may have twice: those that were sent without an
 * acknowledgement, and again when it had forgotten their IDs.
 */
export class Doubt {
  #lastId = 0;
  #since = 0;

  /**
   * Notes that messages were sent, and not acknowledged.
   *
   * @param settledId The number up to which all messages have an outcome.
   */
  add({ lastId, since }: Unacknowledged, settledId: number): void {
    // Those that are in doubt already were sent before.
    if (this.#lastId <= settledId) this.#since = since;
    this.#lastId = Math.max(this.#lastId, lastId);
  }

  /**
   * Whether the stream may have had a message that it took as a new one.
   *
   * @param now The time, in milliseconds.
   * @param windowMs For how long the stream knows an ID.
   */
  mayBeTwice(id: number, now: number, windowMs: number): boolean {
    return id <= this.#lastId && now - this.#since >= windowMs;
  }
}
