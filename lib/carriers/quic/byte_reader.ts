// How much is allocated for bytes of which none has arrived.
const AT_FIRST = 16 * 1024;

/** Reads given numbers of bytes from a stream of chunks. */
export class ByteReader {
  readonly #chunks: ReadableStreamDefaultReader<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array();
  #offset = 0;

  readonly #onBytes: () => void;

  /** @param onBytes Called when bytes have arrived. */
  constructor(
    stream: ReadableStream<Uint8Array>,
    onBytes: () => void = () => {},
  ) {
    this.#chunks = stream.getReader();
    this.#onBytes = onBytes;
  }

  /** How many bytes can be taken without waiting. */
  get ready(): number {
    return this.#chunk.length - this.#offset;
  }

  /**
   * Takes the next bytes, in memory of their own. It is allocated as they
   * arrive, so that a length that a peer only claims costs little.
   *
   * @returns `undefined` if the stream ends before them.
   * @throws What the stream fails with.
   */
  async take(size: number): Promise<Uint8Array | undefined> {
    if (this.ready >= size) return this.#cut(size);
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
      const { value, done } = await this.#chunks.read();
      if (done) return undefined;
      this.#onBytes();
      this.#chunk = value;
      this.#offset = 0;
    }
  }

  #cut(size: number): Uint8Array {
    const from = this.#offset;
    this.#offset += size;
    return this.#chunk.slice(from, this.#offset);
  }
}
