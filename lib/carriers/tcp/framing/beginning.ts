/** No bytes. */
export const NOTHING: Uint8Array = new Uint8Array();

/** The beginning of a message: as many of its bytes as the receiver accepts. */
export class Beginning {
  /** How many bytes were added, kept or not. */
  size = 0;
  /** The last byte added, kept or not. */
  last: number | undefined;
  #kept = NOTHING;

  /** Adds bytes, and keeps them up to that many in all. */
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

/** Writes the first `size` bytes, as far as they fit. Returns how many. */
export function put(bytes: Uint8Array, size: number, into: Uint8Array): number {
  const length = Math.min(size, into.length);
  into.set(bytes.subarray(0, length));
  return length;
}
