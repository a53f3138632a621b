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
   * arrive, so that a length that a peer only claims costs nothing.
   *
   * @returns `undefined` if the stream ends before them.
   * @throws What the stream fails with.
   */
  async take(size: number): Promise<Uint8Array | undefined> {
    if (this.ready >= size) return this.#cut(size);
    const parts: Uint8Array[] = [];
    let missing = size;
    while (missing > 0) {
      if (this.ready === 0) {
        const { value, done } = await this.#chunks.read();
        if (done) return undefined;
        this.#onBytes();
        this.#chunk = value;
        this.#offset = 0;
      }
      const part = this.#cut(Math.min(missing, this.ready));
      missing -= part.length;
      parts.push(part);
    }
    if (parts.length === 1) return parts[0];
    const all = new Uint8Array(size);
    let offset = 0;
    for (const part of parts) {
      all.set(part, offset);
      offset += part.length;
    }
    return all;
  }

  #cut(size: number): Uint8Array {
    const from = this.#offset;
    this.#offset += size;
    return this.#chunk.slice(from, this.#offset);
  }
}
