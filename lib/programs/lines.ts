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

/**
 * Splits bytes into lines that end with `\n` or `\r\n`, or with the input. A
 * line beyond the limit is only measured, so that no input takes more memory.
 */
export async function* lines(
  source: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<Line> {
  let pieces: Uint8Array[] = [];
  let size = 0;
  let number = 0;
  const add = (piece: Uint8Array) => {
    size += piece.length;
    // One byte more may be a `\r`.
    if (size > limit + 1) pieces = [];
    else if (piece.length > 0) pieces.push(piece);
  };
  const end = (): Line => {
    let bytes = join(pieces, size > limit + 1 ? 0 : size);
    if (bytes.at(-1) === RETURN) {
      bytes = bytes.subarray(0, -1);
      size--;
    }
    const line = { number: ++number, size, bytes };
    pieces = [];
    size = 0;
    return line.size > limit ? { ...line, bytes: undefined } : line;
  };
  for await (const chunk of source) {
    let start = 0;
    let newline;
    while ((newline = chunk.indexOf(NEWLINE, start)) >= 0) {
      add(chunk.subarray(start, newline));
      yield end();
      start = newline + 1;
    }
    add(chunk.subarray(start));
  }
  if (size > 0) yield end();
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
