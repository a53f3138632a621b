import type { Addr } from "../../addr.ts";
import type { Message } from "../../sink.ts";

// What a message costs beyond its bytes.
const OVERHEAD = 128;

/** A message that waits. */
export interface Waiting {
  readonly data: Uint8Array;
  readonly from: Addr;
  /** What it takes of the limit. */
  readonly cost: number;
}

/** The messages that wait for one destination, in bounded memory. */
export class Queue {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  // Those from `#head` on wait. A `shift` for each would copy the whole list.
  #messages: Waiting[] = [];
  #head = 0;
  #bytes = 0;

  /** @param maxBytes Of data, and 128 for each message. */
  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  /** How many messages wait. */
  get length(): number {
    return this.#messages.length - this.#head;
  }

  /** The message that has waited longest. */
  get first(): Waiting | undefined {
    return this.#messages[this.#head];
  }

  /**
   * Adds a message.
   *
   * @returns Whether there was room for it.
   * @throws {TypeError} It has no data.
   */
  add({ datagram: { data, from } }: Message): boolean {
    if (!(data instanceof Uint8Array)) throw new TypeError("it has no data");
    const cost = data.length + OVERHEAD;
    if (
      this.length >= this.#maxMessages || this.#bytes + cost > this.#maxBytes
    ) return false;
    this.#bytes += cost;
    this.#messages.push({ data, from, cost });
    return true;
  }

  /** Removes the first message. */
  shift(): void {
    this.#bytes -= this.first?.cost ?? 0;
    this.#head++;
    const isAll = this.#head >= this.#messages.length;
    if (!isAll && (this.#head < 1024 || this.#head < this.length)) return;
    this.#messages = this.#messages.slice(this.#head);
    this.#head = 0;
  }

  /** Removes all messages. @returns How many. */
  clear(): number {
    const { length } = this;
    this.#messages = [];
    this.#head = this.#bytes = 0;
    return length;
  }
}
