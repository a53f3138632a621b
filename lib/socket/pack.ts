// What a carrier sends at once: sixteen times 128 small datagrams.
const SIZE = 256 * 1024;
const MAX_COUNT = 2048;
// Longer messages are worth a call each, and gain nothing by being copied.
const LONGEST = SIZE / 64;
// Memory is used again: new memory has to be filled with zeros.
const MAX_SPARE = 2;
const spare: Uint8Array<ArrayBuffer>[] = [];

/** Messages of one length, copied one after another: the data of a run. */
export class Pack {
  /** How many messages it holds. */
  count = 0;
  /** The length of each. */
  size = 0;
  #used = 0;
  readonly #memory = spare.pop() ?? new Uint8Array(SIZE);

  /** Whether no further message fits. */
  get isFull(): boolean {
    return this.count === MAX_COUNT || this.#used + this.size > SIZE;
  }

  /** Adds a message. @returns Whether it did: not if it has another length. */
  add(message: Uint8Array): boolean {
    const { length } = message;
    if (this.count === 0) {
      if (length === 0 || length > LONGEST) return false;
      this.size = length;
    } else if (length !== this.size) return false;
    this.#memory.set(message, this.#used);
    this.#used += length;
    this.count++;
    return true;
  }

  /** Returns the messages one after another, in the memory of the pack. */
  data(): Uint8Array<ArrayBuffer> {
    return this.#memory.subarray(0, this.#used);
  }

  /** Returns each message, in the memory of the pack. */
  messages(): Uint8Array<ArrayBuffer>[] {
    return Array.from(
      { length: this.count },
      (_, i) => this.#memory.subarray(i * this.size, (i + 1) * this.size),
    );
  }

  /** Makes it empty. Nothing that it returned may be used any more. */
  clear(): void {
    this.count = this.#used = 0;
  }

  /** Leaves its memory to another pack. It may not be used any more. */
  give(): void {
    if (spare.length < MAX_SPARE) spare.push(this.#memory);
  }
}
