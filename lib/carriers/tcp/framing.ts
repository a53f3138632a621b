/** The ways to separate messages in a stream of bytes. */
export type FramingName = "line" | "length";

/** One way to separate messages. */
export interface Framing {
  /** The longest message that it can carry, in bytes. */
  readonly largest: number;
  /**
   * Returns the bytes that carry a message.
   *
   * @throws {TypeError} It cannot carry that message.
   */
  encode(message: Uint8Array): Uint8Array;
  /** Returns a decoder for the bytes of one peer. */
  decoder(): Decoder;
}

/** Finds the messages in the bytes of a peer. */
export interface Decoder {
  /** Whether a part of a message was added. */
  readonly partial: boolean;
  /** Whether that message was delivered truncated, and its rest is skipped. */
  readonly skips: boolean;
  /** Adds bytes, after `next` has used the last ones up. */
  add(bytes: Uint8Array): void;
  /**
   * Writes the next message into a buffer, cut to its length.
   *
   * @returns The number of bytes written, or `undefined` if more bytes are needed.
   */
  next(into: Uint8Array): number | undefined;
  /** Like `next`, for a message that only the end of the stream completes. */
  end(into: Uint8Array): number | undefined;
  /** Drops the messages that are whole. @returns How many. */
  skip(): number;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const NOTHING: Uint8Array = new Uint8Array();

/**
 * A message is a line: it ends with LF or CRLF, or with the connection. An
 * empty line is an empty message. A message may hold any byte but LF; one that
 * ends with CR is sent with CRLF, from which the receiver removes one CR.
 */
const line: Framing = {
  largest: 64 * 1024 * 1024,

  encode(message) {
    const newline = message.indexOf(NEWLINE);
    if (newline >= 0) {
      throw new TypeError(
        `a message is a line, and this one has a newline at byte ${newline}; use the framing "length"`,
      );
    }
    const ending = message.at(-1) === RETURN ? [RETURN, NEWLINE] : [NEWLINE];
    const bytes = new Uint8Array(message.length + ending.length);
    bytes.set(message);
    bytes.set(ending, message.length);
    return bytes;
  },

  decoder: () => new LineDecoder(),
};

/**
 * Before each message its length, as two bytes in network order (RFC 4571,
 * section 2).
 */
const length: Framing = {
  largest: 65_535,

  encode(message) {
    const bytes = new Uint8Array(message.length + 2);
    new DataView(bytes.buffer).setUint16(0, message.length);
    bytes.set(message, 2);
    return bytes;
  },

  decoder: () => new LengthDecoder(),
};

/** All framings by name. */
export const FRAMINGS: Readonly<Record<FramingName, Framing>> = {
  line,
  length,
};

class LineDecoder implements Decoder {
  #bytes: Uint8Array = NOTHING;
  #at = 0;
  readonly #begun = new Beginning();
  // The rest of a line that was delivered truncated.
  #skips = false;

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
      const newline = this.#bytes.indexOf(NEWLINE, this.#at);
      const end = newline < 0 ? this.#bytes.length : newline;
      const piece = this.#bytes.subarray(this.#at, end);
      this.#at = end + 1;
      if (this.#skips) {
        this.#skips = newline < 0;
        continue;
      }
      if (newline >= 0 && this.#begun.size === 0) {
        const size = piece.length;
        return put(piece, piece.at(-1) === RETURN ? size - 1 : size, into);
      }
      this.#begun.add(piece, into.length);
      if (newline >= 0) return this.#take(into);
      // Longer than the receiver accepts, even if its last byte is a CR.
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
      const newline = this.#bytes.indexOf(NEWLINE, this.#at);
      const end = newline < 0 ? this.#bytes.length : newline;
      if (!this.#skips) this.#begun.add(this.#bytes.subarray(this.#at, end), 0);
      this.#at = end + 1;
      if (newline < 0) break;
      if (!this.#skips) count++;
      this.#skips = false;
      this.#begun.take(NOTHING, 0);
    }
    return count;
  }

  #take(into: Uint8Array): number {
    const { size, last } = this.#begun;
    return this.#begun.take(into, last === RETURN ? size - 1 : size);
  }
}

class LengthDecoder implements Decoder {
  #bytes: Uint8Array = NOTHING;
  #at = 0;
  readonly #begun = new Beginning();
  #high: number | undefined;
  // How many bytes of the message are missing; undefined while its length is read.
  #missing: number | undefined;

  get partial(): boolean {
    return this.#high !== undefined || this.#missing !== undefined;
  }

  get skips(): boolean {
    return false;
  }

  add(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#at = 0;
  }

  next(into: Uint8Array): number | undefined {
    while (this.#at < this.#bytes.length) {
      if (this.#missing === undefined) {
        const byte = this.#bytes[this.#at++] ?? 0;
        if (this.#high === undefined) {
          this.#high = byte;
          continue;
        }
        this.#missing = this.#high * 256 + byte;
        this.#high = undefined;
      }
      const end = this.#at + this.#missing;
      const piece = this.#bytes.subarray(this.#at, end);
      this.#at += piece.length;
      this.#missing -= piece.length;
      const isWhole = this.#missing === 0 && this.#begun.size === 0;
      if (!isWhole) this.#begun.add(piece, into.length);
      if (this.#missing > 0) continue;
      this.#missing = undefined;
      if (isWhole) return put(piece, piece.length, into);
      return this.#begun.take(into, this.#begun.size);
    }
    return undefined;
  }

  /** An incomplete message is not delivered. */
  end(): undefined {}

  skip(): number {
    let count = 0;
    while (this.next(NOTHING) !== undefined) count++;
    return count;
  }
}

/** The beginning of a message: as many of its bytes as the receiver accepts. */
class Beginning {
  /** How many bytes were added, kept or not. */
  size = 0;
  /** The last byte added, kept or not. */
  last: number | undefined;
  #kept = NOTHING;

  add(piece: Uint8Array, limit: number): void {
    const isWhole = this.size <= this.#kept.length;
    const end = Math.min(this.size + piece.length, limit);
    if (isWhole && end > this.#kept.length) {
      const room = Math.min(limit, Math.max(end, 2 * this.#kept.length));
      const kept = new Uint8Array(room);
      kept.set(this.#kept);
      this.#kept = kept;
    }
    if (isWhole && end > this.size) {
      this.#kept.set(piece.subarray(0, end - this.size), this.size);
    }
    this.size += piece.length;
    this.last = piece.at(-1) ?? this.last;
  }

  /** Writes the first `size` bytes, as far as they fit, and becomes empty. */
  take(into: Uint8Array, size: number): number {
    const length = put(this.#kept, Math.min(size, this.#kept.length), into);
    this.size = 0;
    this.last = undefined;
    this.#kept = NOTHING;
    return length;
  }
}

function put(bytes: Uint8Array, size: number, into: Uint8Array): number {
  const length = Math.min(size, into.length);
  into.set(bytes.subarray(0, length));
  return length;
}
