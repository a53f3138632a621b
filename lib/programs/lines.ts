const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** One line of input. */
export interface Line {
  /** Its number, from 1. */
  number: number;
  /** Its length in bytes, without the line break. */
  size: number;
  /** Its content; `undefined` if it is longer than the limit. */
  bytes: Uint8Array | undefined;
}

/** What has been read and not handed out. */
export interface Left {
  /** How many whole messages. */
  messages: number;
  /** How many bytes of one that has begun. */
  bytes: number;
}

/**
 * Splits bytes into lines that end with `\n` or `\r\n`, or with the input. A
 * line beyond the limit is only measured, so that no input takes more memory.
 */
export class Lines implements AsyncIterable<Line> {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #limit: number;
  // The chunk that was read last, and where the next line begins in it.
  #chunk: Uint8Array = new Uint8Array();
  #start = 0;
  // A line that began in chunks before.
  #pieces: Uint8Array[] = [];
  #size = 0;
  #number = 0;

  constructor(source: AsyncIterable<Uint8Array>, limit: number) {
    this.#source = source;
    this.#limit = limit;
  }

  get left(): Left {
    const rest = this.#chunk.subarray(this.#start);
    const begun = rest.subarray(rest.lastIndexOf(NEWLINE) + 1);
    const messages = rest.reduce((n, byte) => byte === NEWLINE ? n + 1 : n, 0);
    const before = messages === 0 ? this.#size : 0;
    return { messages, bytes: before + begun.length };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Line> {
    for await (const chunk of this.#source) {
      this.#chunk = chunk;
      this.#start = 0;
      let newline;
      while ((newline = chunk.indexOf(NEWLINE, this.#start)) >= 0) {
        this.#add(chunk.subarray(this.#start, newline));
        this.#start = newline + 1;
        yield this.#end();
      }
      this.#add(chunk.subarray(this.#start));
      this.#start = chunk.length;
    }
    if (this.#size > 0) yield this.#end();
  }

  #add(piece: Uint8Array): void {
    this.#size += piece.length;
    // One byte more may be a `\r`.
    if (this.#size > this.#limit + 1) this.#pieces = [];
    else if (piece.length > 0) this.#pieces.push(piece);
  }

  #end(): Line {
    let size = this.#size;
    let bytes = join(this.#pieces, size > this.#limit + 1 ? 0 : size);
    if (bytes.at(-1) === RETURN) {
      bytes = bytes.subarray(0, -1);
      size--;
    }
    this.#pieces = [];
    this.#size = 0;
    const number = ++this.#number;
    const isTooLong = size > this.#limit;
    return { number, size, bytes: isTooLong ? undefined : bytes };
  }
}

function join(pieces: Uint8Array[], size: number): Uint8Array {
  const joined = new Uint8Array(size);
  let offset = 0;
  for (const piece of pieces) {
    joined.set(piece, offset);
    offset += piece.length;
  }
  return joined;
}
