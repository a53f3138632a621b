// Measured with 100-byte datagrams: one slice per datagram costs 15 % of the
// rate. Larger chunks are slightly faster, but a kept datagram would keep one
// alive.
const CHUNK_SIZE = 8 * 1024;
/** The longest bytes that share a chunk. */
export const LARGEST_POOLED: number = 2 * 1024;
// A call to copy one piece takes longer than copying so many bytes here.
const LARGEST_BY_WORDS = 128;

/**
 * Copies bytes out of a reused buffer. Small copies share chunks of 8 KiB, so a
 * kept copy holds at most that much beyond its own bytes alive.
 */
export class CopyPool {
  #chunk = new Uint8Array(0);
  #used = 0;

  /** Copies the bytes. */
  copy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const size = bytes.length;
    if (size > LARGEST_POOLED) return new Uint8Array(bytes);
    this.#reserve(size);
    const copy = this.#chunk.subarray(this.#used, this.#used + size);
    copy.set(bytes);
    this.#used += aligned(size);
    return copy;
  }

  /**
   * Copies as many pieces of a run as there is room for, at least one, so that
   * each is aligned.
   *
   * @param run Pieces of at most 2 KiB, all of that size except the last.
   * @param start Where the first piece to copy begins.
   * @returns The pieces, `aligned(size)` bytes apart.
   */
  copyPieces(
    run: Uint8Array,
    start: number,
    size: number,
  ): Uint8Array<ArrayBuffer> {
    this.#reserve(size);
    const stride = aligned(size);
    const room = Math.floor((this.#chunk.length - this.#used) / stride);
    const source = run.subarray(start, start + Math.max(1, room) * size);
    const count = Math.ceil(source.length / size);
    const length = source.length + (count - 1) * (stride - size);
    const copy = this.#chunk.subarray(this.#used, this.#used + length);
    if (stride === size) copy.set(source);
    else if (size <= LARGEST_BY_WORDS) copyByWords(source, copy, size, stride);
    else {
      copy.set(source);
      for (let i = count - 1; i > 0; i--) {
        copy.copyWithin(i * stride, i * size, (i + 1) * size);
      }
    }
    this.#used += count * stride;
    return copy;
  }

  /** Makes room for so many bytes, at most 2 KiB. */
  #reserve(size: number): void {
    if (this.#used + size <= this.#chunk.length) return;
    this.#chunk = new Uint8Array(CHUNK_SIZE);
    this.#used = 0;
  }
}

/** Copies start aligned, so that any typed array can view them. */
export function aligned(size: number): number {
  return (size + 7) & ~7;
}

/** Copies pieces of that size and sets them apart, 8 bytes at a time. */
function copyByWords(
  source: Uint8Array,
  target: Uint8Array,
  size: number,
  stride: number,
): void {
  const { length } = source;
  const from = new DataView(source.buffer, source.byteOffset, length);
  const to = new DataView(target.buffer, target.byteOffset, target.length);
  let at = 0;
  let start = 0;
  // The bytes between two pieces are those of the next one, which nobody reads.
  for (; start + stride <= length; start += size) {
    for (let i = 0; i < stride; i += 8) {
      to.setBigUint64(at + i, from.getBigUint64(start + i, true), true);
    }
    at += stride;
  }
  for (; start < length; start += size) {
    const end = Math.min(start + size, length);
    for (let i = start; i < end; i++) target[at + i - start] = source[i]!;
    at += stride;
  }
}
