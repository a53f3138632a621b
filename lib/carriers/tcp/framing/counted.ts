import { Beginning, NOTHING, put } from "./beginning.ts";
import type { Decoder, Framing } from "./framing.ts";

/** Reads the length before a message. */
export interface LengthReader {
  /** Whether a part of a length was read. */
  readonly partial: boolean;
  /**
   * Reads a byte.
   *
   * @returns The length, if that was its last byte; `"wrong"` if there is none.
   */
  read(byte: number): number | "wrong" | undefined;
}

/**
 * Returns a framing in which each message follows its length. A message may hold
 * any byte.
 *
 * @param written Returns the bytes before a message of that length.
 * @param reader Returns what reads them.
 */
export function counted(
  largest: number,
  written: (length: number) => Uint8Array,
  reader: () => LengthReader,
): Framing {
  return {
    largest,

    encode(message) {
      const head = written(message.length);
      const bytes = new Uint8Array(head.length + message.length);
      bytes.set(head);
      bytes.set(message, head.length);
      return bytes;
    },

    decoder: () => new CountedDecoder(reader()),
  };
}

class CountedDecoder implements Decoder {
  readonly #reader: LengthReader;
  #bytes: Uint8Array = NOTHING;
  #at = 0;
  readonly #begun = new Beginning();
  // How many bytes of the message are missing; undefined while its length is read.
  #missing: number | undefined;
  // The rest of a message that was delivered truncated.
  #skips = false;
  #malformed = false;

  constructor(reader: LengthReader) {
    this.#reader = reader;
  }

  get partial(): boolean {
    return this.#malformed || this.#missing !== undefined ||
      this.#reader.partial;
  }

  get skips(): boolean {
    return this.#skips;
  }

  get malformed(): boolean {
    return this.#malformed;
  }

  add(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#at = 0;
  }

  next(into: Uint8Array): number | undefined {
    return this.#next(into, into.length);
  }

  /** An incomplete message is not delivered. */
  end(): undefined {}

  skip(): number {
    let count = 0;
    // Each is counted when it is whole.
    while (this.#next(NOTHING, Infinity) !== undefined) count++;
    return count;
  }

  /** @param room Longer messages are delivered at once. */
  #next(into: Uint8Array, room: number): number | undefined {
    while (this.#at < this.#bytes.length && !this.#malformed) {
      if (this.#missing === undefined) {
        const length = this.#reader.read(this.#bytes[this.#at++] ?? 0);
        if (length === undefined) continue;
        this.#malformed = length === "wrong";
        if (length === "wrong") break;
        this.#missing = length;
      }
      const end = this.#at + this.#missing;
      const piece = this.#bytes.subarray(this.#at, end);
      this.#at += piece.length;
      this.#missing -= piece.length;
      const isLast = this.#missing === 0;
      if (isLast) this.#missing = undefined;
      if (this.#skips) {
        this.#skips = !isLast;
        continue;
      }
      if (isLast && this.#begun.size === 0) {
        return put(piece, piece.length, into);
      }
      this.#begun.add(piece, into.length);
      this.#skips = !isLast && this.#begun.size >= room;
      if (isLast || this.#skips) {
        return this.#begun.take(into, this.#begun.size);
      }
    }
    return undefined;
  }
}
