import { type ByteReader, viewOf } from "./byte_reader.ts";

const LENGTH = 4;

/** Returns how many bytes the longest message takes on a stream. */
export function longestOf(maxMessage: number): number {
  return LENGTH + maxMessage;
}

/** Returns the bytes of a message on a stream: its length (4 bytes), its data. */
export function encodeMessage(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(LENGTH + data.length);
  viewOf(bytes).setUint32(0, data.length);
  bytes.set(data, LENGTH);
  return bytes;
}

/** The data of a message, or that it is longer than accepted. */
export type Message = Uint8Array | "too long";

/** Reads the messages of a stream. */
export class MessageReader {
  readonly #bytes: ByteReader;
  readonly #largest: number;
  // The length of the next message, once it was read.
  #size: number | undefined;

  /** @param largest The longest message that is accepted, in bytes. */
  constructor(bytes: ByteReader, largest: number) {
    this.#bytes = bytes;
    this.#largest = largest;
  }

  /** Returns the next message if it has arrived. */
  next(): Message | undefined {
    const bytes = this.#bytes;
    if (this.#size === undefined) {
      if (!bytes.has(LENGTH)) return undefined;
      this.#size = bytes.uint32();
    }
    if (this.#size > this.#largest) return "too long";
    if (!bytes.has(this.#size)) return undefined;
    const data = bytes.cut(this.#size);
    this.#size = undefined;
    return data;
  }

  /**
   * Waits for the next message.
   *
   * @returns `undefined` if the stream ends before it.
   * @throws What the stream fails with.
   */
  async read(): Promise<Message | undefined> {
    if (this.#size === undefined) {
      const length = await this.#bytes.take(LENGTH);
      if (length === undefined) return undefined;
      this.#size = viewOf(length).getUint32(0);
    }
    if (this.#size > this.#largest) return "too long";
    const data = await this.#bytes.take(this.#size);
    this.#size = undefined;
    return data;
  }
}
