import { CopyPool } from "../../copy_pool.ts";
import { pause } from "../../turns.ts";

/**
 * How many bytes of messages are read at a time. Deno allocates and clears as
 * much for each read, however little arrives, and by default 64 KiB twice: with
 * ten thousand reads per second garbage was collected all the time.
 */
export const READ_SIZE: number = 16 * 1024;
// How much is allocated for bytes of which none has arrived.
const AT_FIRST = 16 * 1024;

// The bytes of all peers share its chunks: most connections send little.
const pool = new CopyPool();

/** Reads given numbers of bytes from a byte stream, into memory that it reuses. */
export class ByteReader {
  readonly #stream: ReadableStreamBYOBReader;
  readonly #onBytes: () => void;
  readonly #readSize: number;
  #memory: ArrayBuffer;
  // What has arrived, in that memory or copied, and how much of it is taken.
  #chunk: Uint8Array = new Uint8Array();
  #offset = 0;
  #isCopied = false;
  // Then more is waiting, which is read after the other peers had their turn.
  #wasFull = false;

  /**
   * @param readSize How many bytes are read at a time.
   * @param onBytes Called when bytes have arrived.
   */
  constructor(
    stream: ReadableStream<Uint8Array>,
    readSize: number = READ_SIZE,
    onBytes: () => void = () => {},
  ) {
    this.#stream = stream.getReader({ mode: "byob" });
    this.#onBytes = onBytes;
    this.#readSize = readSize;
    this.#memory = new ArrayBuffer(readSize);
  }

  /** Whether that many bytes can be taken without waiting. */
  has(size: number): boolean {
    return this.#chunk.length - this.#offset >= size;
  }

  /** Takes a number of 4 bytes, big-endian, which must have arrived. */
  uint32(): number {
    const number = viewOf(this.#chunk).getUint32(this.#offset);
    this.#offset += 4;
    return number;
  }

  /**
   * Takes the next bytes, which must have arrived. They keep those that were read
   * with them alive, at most 16 KiB.
   */
  cut(size: number): Uint8Array {
    if (!this.#isCopied) {
      // One copy of all that has arrived costs less than one per message.
      this.#chunk = pool.copy(this.#chunk.subarray(this.#offset));
      this.#offset = 0;
      this.#isCopied = true;
    }
    const from = this.#offset;
    this.#offset += size;
    return this.#chunk.subarray(from, this.#offset);
  }

  /**
   * Takes the next bytes. Memory is allocated as they arrive, so that a length
   * that a peer only claims costs little.
   *
   * @returns `undefined` if the stream ends before them.
   * @throws What the stream fails with.
   */
  async take(size: number): Promise<Uint8Array | undefined> {
    if (this.has(size)) return this.cut(size);
    let all = new Uint8Array(Math.min(size, AT_FIRST));
    for (let taken = 0;;) {
      const end = Math.min(this.#offset + size - taken, this.#chunk.length);
      const part = this.#chunk.subarray(this.#offset, end);
      this.#offset = end;
      if (taken + part.length > all.length) {
        const room = Math.max(2 * all.length, taken + part.length);
        const larger = new Uint8Array(Math.min(size, room));
        larger.set(all.subarray(0, taken));
        all = larger;
      }
      all.set(part, taken);
      taken += part.length;
      if (taken === size) return all;
      if (this.#wasFull) await pause();
      const { value, done } = await this.#stream.read(
        new Uint8Array(this.#memory),
      );
      if (done) return undefined;
      this.#onBytes();
      this.#memory = value.buffer;
      this.#chunk = value;
      this.#offset = 0;
      this.#isCopied = false;
      this.#wasFull = value.length === this.#readSize;
    }
  }
}

/** A view for reading and writing numbers in bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
