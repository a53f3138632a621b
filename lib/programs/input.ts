import { count } from "../count.ts";
import { failure, quote } from "../errors.ts";
import { type Left, Lines } from "./lines.ts";
import { UsageError } from "./options.ts";

const NOT_HEX = 'not hexadecimal: two digits per byte, as in "00ff" or "00 ff"';

/** The path that means standard input. */
export const STANDARD_INPUT = "-";

/** A message to send, or why it cannot be sent. */
export type InputMessage =
  | { name: string; bytes: Uint8Array }
  | { name: string; refused: string };

/** Messages, one by one. */
export interface InputMessages extends AsyncIterable<InputMessage> {
  readonly left: Left;
}

/** Where the client's messages come from; see its `--help`. */
export interface Input {
  /** Arguments: one message each. */
  messages: readonly string[];
  /** The path of a file, or `-` for standard input: its bytes are one message. */
  file: string | undefined;
  /** Whether arguments or lines are hexadecimal. */
  hex: boolean;
  /** The longest message, in bytes. */
  limit: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Returns the messages, one by one. A wrong argument is an error before the
 * first one is sent; a wrong line of input is refused by its number, and the
 * others follow.
 *
 * @throws {UsageError} An argument is not hexadecimal, or a file cannot be read.
 */
export async function inputMessages(
  { messages, file, hex, limit }: Input,
): Promise<InputMessages> {
  // Reading standard input can be interrupted once messages are asked for.
  if (file === STANDARD_INPUT) return wholeInput(limit);
  if (file !== undefined) return listed([await contentOf(file, limit)]);
  if (messages.length === 0) return linesOfInput(hex, limit);
  return listed(messages.map((text, i) => {
    const name = `message ${i + 1}`;
    const bytes = hex ? fromHex(text) : encoder.encode(text);
    if (bytes !== undefined) return { name, bytes };
    throw new UsageError(`${quote(text)} is ${NOT_HEX}`);
  }));
}

function listed(messages: InputMessage[]): InputMessages {
  return {
    get left() {
      return { messages: messages.length, bytes: 0 };
    },
    async *[Symbol.asyncIterator]() {
      for (let next; (next = messages.shift()) !== undefined;) yield next;
    },
  };
}

async function contentOf(path: string, limit: number): Promise<InputMessage> {
  const name = quote(path);
  try {
    using file = await Deno.open(path);
    const { isFile, size } = await file.stat();
    if (isFile && size > limit) return { name, refused: tooLong(size, limit) };
    return await wholeOf(file, name, limit, {
      size: isFile ? size : undefined,
    });
  } catch (error) {
    throw new UsageError(failure(`read ${name}`, error).message);
  }
}

function wholeInput(limit: number): InputMessages {
  const left = { messages: 0, bytes: 0 };
  const onRead = (bytes: number) => void (left.bytes = bytes);
  return {
    left,
    async *[Symbol.asyncIterator]() {
      const all = await wholeOf(Deno.stdin, "standard input", limit, {
        onRead,
      });
      left.bytes = 0;
      yield all;
    },
  };
}

/**
 * @param size A device or a pipe has none.
 * @param onRead Called with how many bytes have been read.
 */
async function wholeOf(
  file: { read(into: Uint8Array): Promise<number | null> },
  name: string,
  limit: number,
  { size, onRead }: {
    size?: number | undefined;
    onRead?: ((bytes: number) => void) | undefined;
  },
): Promise<InputMessage> {
  // One byte more shows that it is too long.
  let bytes = new Uint8Array(size === undefined ? 0 : size + 1);
  let read = 0;
  for (;;) {
    if (read === bytes.length) bytes = grown(bytes, limit + 1);
    const n = await file.read(bytes.subarray(read));
    if (n === null) return { name, bytes: bytes.subarray(0, read) };
    read += n;
    onRead?.(read);
    if (read > limit) {
      return { name, refused: `too long: at most ${count(limit, "byte")}` };
    }
  }
}

/** A larger buffer with the same content, up to a limit. */
function grown(
  bytes: Uint8Array<ArrayBuffer>,
  limit: number,
): Uint8Array<ArrayBuffer> {
  const size = Math.max(64 * 1024, bytes.length * 2);
  const larger = new Uint8Array(Math.min(size, limit));
  larger.set(bytes);
  return larger;
}

function linesOfInput(hex: boolean, limit: number): InputMessages {
  // Two digits per byte, and as much again for spaces between them.
  const longest = hex ? limit * 4 : limit;
  const lines = new Lines(Deno.stdin.readable, longest);
  return {
    get left() {
      return lines.left;
    },
    async *[Symbol.asyncIterator]() {
      for await (const line of lines) {
        const name = `line ${line.number}`;
        if (line.bytes === undefined) {
          yield { name, refused: tooLong(line.size, longest) };
          continue;
        }
        const bytes = hex ? fromHex(decoder.decode(line.bytes)) : line.bytes;
        yield bytes === undefined
          ? { name, refused: NOT_HEX }
          : { name, bytes };
      }
    },
  };
}

function tooLong(size: number, limit: number): string {
  return `too long: ${count(size, "byte")}, at most ${limit}`;
}

function fromHex(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromHex(text.replace(/[\s:]/g, ""));
  } catch {
    return undefined;
  }
}
