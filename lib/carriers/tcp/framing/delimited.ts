import { Beginning, NOTHING, put } from "./beginning.ts";
import { type Decoder, type Framing, LARGEST } from "./framing.ts";

const NUL = 0x00;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * A message is a line: it ends with LF or CRLF, or with the connection. An
 * empty line is an empty message. A message may hold any byte but LF; one that
 * ends with CR is sent with CRLF, from which the receiver removes one CR.
 */
export const line: Framing = {
  largest: LARGEST,

  encode(message) {
    const newline = message.indexOf(NEWLINE);
    if (newline >= 0) {
      throw new TypeError(
        `a message is a line, and this one has a newline at byte ${newline}; use the framing "length"`,
      );
    }
    const isCut = message.at(-1) === RETURN;
    return ended(message, isCut ? [RETURN, NEWLINE] : [NEWLINE]);
  },

  decoder: () => new DelimitedDecoder(NEWLINE, RETURN),
};

/**
 * A message ends with a NUL byte, as GELF has it, or with the connection. It may
 * hold any other byte. A NUL alone is an empty message.
 */
export const nul: Framing = {
  largest: LARGEST,

  encode(message) {
    const at = message.indexOf(NUL);
    if (at >= 0) {
      throw new TypeError(
        `a message ends with a NUL byte, and this one has one at byte ${at}; use the framing "length"`,
      );
    }
    return ended(message, [NUL]);
  },

  decoder: () => new DelimitedDecoder(NUL),
};

function ended(message: Uint8Array, ending: number[]): Uint8Array {
  const bytes = new Uint8Array(message.length + ending.length);
  bytes.set(message);
  bytes.set(ending, message.length);
  return bytes;
}

class DelimitedDecoder implements Decoder {
  /** There are no bytes that cannot be a message. */
  readonly malformed = false;
  readonly #delimiter: number;
  readonly #removed: number | undefined;
  #bytes: Uint8Array = NOTHING;
  #at = 0;
  readonly #begun = new Beginning();
  // The rest of a message that was delivered truncated.
  #skips = false;

  /** @param removed A byte that is removed once at the end of a message. */
  constructor(delimiter: number, removed?: number) {
    this.#delimiter = delimiter;
    this.#removed = removed;
  }

  get partial(): boolean {
    return this.#skips || this.#begun.size > 0;
  }

  get skips(): boolean {
    return this.#skips;
  }

  add(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#at = 0;
  }

  next(into: Uint8Array): number | undefined {
    while (this.#at < this.#bytes.length) {
      const delimiter = this.#bytes.indexOf(this.#delimiter, this.#at);
      const end = delimiter < 0 ? this.#bytes.length : delimiter;
      const piece = this.#bytes.subarray(this.#at, end);
      this.#at = end + 1;
      if (this.#skips) {
        this.#skips = delimiter < 0;
        continue;
      }
      if (delimiter >= 0 && this.#begun.size === 0) {
        return put(piece, this.#sizeOf(piece.length, piece.at(-1)), into);
      }
      this.#begun.add(piece, into.length);
      if (delimiter >= 0) return this.#take(into);
      // Longer than the receiver accepts, even if its last byte is removed.
      if (this.#begun.size > into.length) {
        this.#skips = true;
        return this.#begun.take(into, this.#begun.size);
      }
    }
    return undefined;
  }

  end(into: Uint8Array): number | undefined {
    this.#skips = false;
    return this.#begun.size > 0 ? this.#take(into) : undefined;
  }

  skip(): number {
    let count = 0;
    while (this.#at < this.#bytes.length) {
      const delimiter = this.#bytes.indexOf(this.#delimiter, this.#at);
      const end = delimiter < 0 ? this.#bytes.length : delimiter;
      if (!this.#skips) this.#begun.add(this.#bytes.subarray(this.#at, end), 0);
      this.#at = end + 1;
      if (delimiter < 0) break;
      if (!this.#skips) count++;
      this.#skips = false;
      this.#begun.take(NOTHING, 0);
    }
    return count;
  }

  #take(into: Uint8Array): number {
    const { size, last } = this.#begun;
    return this.#begun.take(into, this.#sizeOf(size, last));
  }

  #sizeOf(size: number, last: number | undefined): number {
    return last !== undefined && last === this.#removed ? size - 1 : size;
  }
}
