import { wrongType } from "../check.ts";
import { dueTurn } from "../turns.ts";

/** Bytes of a file: at once, or in chunks of any size, as of a `ReadableStream`. */
export type CaptureInput =
  | Uint8Array
  | Iterable<Uint8Array>
  | AsyncIterable<Uint8Array>;

const ATTEMPT = "read a capture";

/** Reads chunks of bytes in pieces of other sizes. It keeps one piece in memory. */
export class ByteReader {
  readonly #chunks: Iterator<Uint8Array> | AsyncIterator<Uint8Array>;
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #taken = 0;

  /** @throws {TypeError} The input is not bytes, and no iterable. */
  constructor(input: CaptureInput) {
    this.#chunks = iterate(input);
  }

  /** How many bytes of the file were taken. */
  get offset(): number {
    return this.#taken;
  }

  /** How many bytes are there without waiting. */
  get available(): number {
    return this.#bytes.length - this.#start;
  }

  /**
   * Waits for bytes, and lets the event loop turn if that is due.
   *
   * @returns Whether there are so many; otherwise the file ends before.
   * @throws {TypeError} A chunk is not bytes.
   */
  fill(size: number): boolean | Promise<boolean> {
    const wait = dueTurn({});
    if (wait !== undefined) return wait.then(() => this.fill(size));
    return this.available >= size || this.#read(size);
  }

  /** Returns bytes that are there, without taking them. */
  peek(size: number): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#start + size);
  }

  /** Takes bytes that are there. They are valid until the next `fill`. */
  take(size: number): Uint8Array {
    const bytes = this.peek(size);
    this.#start += bytes.length;
    this.#taken += bytes.length;
    return bytes;
  }

  /** Takes bytes, and keeps none of them. @returns Whether there were so many. */
  async skip(size: number): Promise<boolean> {
    let left = size;
    while (left > 0) {
      if (!await this.fill(1)) return false;
      left -= this.take(Math.min(left, this.available)).length;
    }
    return true;
  }

  /** Ends the input, whether all of it was read or not. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #read(size: number): Promise<boolean> {
    // Chunks may be tiny, so they are joined once.
    const parts = this.available > 0 ? [this.peek(this.available)] : [];
    let length = this.available;
    while (length < size) {
      const { done, value } = await this.#chunks.next();
      if (done === true) break;
      if (!(value instanceof Uint8Array)) {
        throw wrongType(ATTEMPT, "each chunk", "a Uint8Array", value);
      }
      parts.push(value);
      length += value.length;
      await dueTurn({});
    }
    this.#bytes = parts.length === 1 ? parts[0]! : joined(parts, length);
    this.#start = 0;
    return length >= size;
  }
}

/** Returns parts in one piece. */
export function joined(
  parts: readonly Uint8Array[],
  length: number,
): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

function iterate(
  input: CaptureInput,
): Iterator<Uint8Array> | AsyncIterator<Uint8Array> {
  if (input instanceof Uint8Array) return [input].values();
  const { [Symbol.asyncIterator]: later, [Symbol.iterator]: now } = Object(
    input,
  ) as Partial<AsyncIterable<Uint8Array> & Iterable<Uint8Array>>;
  if (typeof later === "function") return later.call(input);
  if (typeof now === "function") return now.call(input);
  throw wrongType(
    ATTEMPT,
    "input",
    "bytes, or an iterable of bytes such as a ReadableStream",
    input,
  );
}
