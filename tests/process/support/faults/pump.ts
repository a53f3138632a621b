/** The reader of a process's output: it can stall, go on, and go away. */
export class Pump {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #chunks: Uint8Array[] = [];
  readonly #ended: Promise<void>;
  #gate = Promise.withResolvers<void>();
  #isClosed = false;
  #isStalled = false;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
    this.#gate.resolve();
    this.#ended = this.#read();
  }

  /** Whether it went away. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** What it has read so far. */
  get text(): string {
    const decoder = new TextDecoder();
    const parts = this.#chunks.map((chunk) =>
      decoder.decode(chunk, { stream: true })
    );
    return parts.join("");
  }

  /** Reads no more. */
  stall(): void {
    if (!this.#isStalled) this.#gate = Promise.withResolvers();
    this.#isStalled = true;
  }

  goOn(): void {
    this.#isStalled = false;
    this.#gate.resolve();
  }

  /** Closes its end of the pipe. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.goOn();
    await this.#reader.cancel();
  }

  /** Reads to the end. */
  async ended(): Promise<void> {
    this.goOn();
    await this.#ended;
  }

  async #read(): Promise<void> {
    for (;;) {
      await this.#gate.promise;
      const { value, done } = await this.#reader.read();
      if (done) return;
      this.#chunks.push(value);
    }
  }
}
