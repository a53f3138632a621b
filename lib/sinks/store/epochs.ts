/** Which epoch each message of a store belongs to. */
export class Epochs {
  // In the order of their first messages.
  readonly #epochs: (readonly [firstId: number, epoch: string])[];

  /** @param epochs In the order of their first messages. */
  constructor(epochs: readonly (readonly [firstId: number, epoch: string])[]) {
    this.#epochs = [...epochs];
  }

  /** Returns the epoch of a message, if it is known. */
  of(id: number): string | undefined {
    return this.#epochs.findLast(([firstId]) => firstId <= id)?.[1];
  }

  /** Begins an epoch at a message, and returns it. */
  begin(firstId: number): string {
    const epoch = crypto.randomUUID();
    // Numbers that have one of their own keep it.
    const at = this.#epochs.findLastIndex(([other]) => other <= firstId) + 1;
    this.#epochs.splice(at, 0, [firstId, epoch]);
    return epoch;
  }
}
