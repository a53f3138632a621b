import { failure, quote } from "../errors.ts";
import { lines } from "./lines.ts";
import { UsageError } from "./options.ts";

/** One message to send, or why it cannot be one. */
export type Message =
  | { name: string; bytes: Uint8Array }
  | { name: string; refused: string };

/** Where the client's messages come from; see its `--help`. */
export interface Sources {
  /** Arguments: one message each. */
  args: readonly string[];
  /** A file's path: its bytes are one message. */
  file?: string;
  /** Whether arguments or lines are hexadecimal. */
  hex: boolean;
  /** The longest message, in bytes. */
  limit: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * The messages, one by one. What was typed wrong is an error before the first
 * is sent; a line of input that cannot be a message is refused by its number,
 * and the rest go on.
 *
 * @throws {UsageError} An argument is not hexadecimal, or a file cannot be read.
 */
export async function messages(
  { args, file, hex, limit }: Sources,
): Promise<Iterable<Message> | AsyncIterable<Message>> {
  if (file !== undefined) return [await fileMessage(file, limit)];
  if (args.length === 0) return inputMessages(hex, limit);
  return args.map((arg, i) => {
    const name = `message ${i + 1}`;
    if (!hex) return { name, bytes: encoder.encode(arg) };
    const bytes = fromHex(arg);
    if (bytes !== undefined) return { name, bytes };
    throw new UsageError(
      `${
        quote(arg)
      } is not hexadecimal: two digits a byte, as in "00ff" or "00 ff"`,
    );
  });
}

async function fileMessage(path: string, limit: number): Promise<Message> {
  try {
    using file = await Deno.open(path);
    // No more than shows that it is too long, whatever the file's size.
    const bytes = new Uint8Array(limit + 1);
    let size = 0;
    while (size < bytes.length) {
      const read = await file.read(bytes.subarray(size));
      if (read === null) break;
      size += read;
    }
    return { name: quote(path), bytes: bytes.subarray(0, size) };
  } catch (error) {
    throw new UsageError(failure(`read ${quote(path)}`, error).message);
  }
}

async function* inputMessages(
  hex: boolean,
  limit: number,
): AsyncGenerator<Message> {
  // Two digits a byte, and as much again for spaces between them.
  const longest = hex ? limit * 4 : limit;
  for await (const line of lines(Deno.stdin.readable, longest)) {
    const name = `line ${line.number}`;
    if (line.bytes === undefined) {
      yield { name, refused: `${line.size} bytes; at most ${longest} will do` };
    } else if (!hex) {
      yield { name, bytes: line.bytes };
    } else {
      const bytes = fromHex(decoder.decode(line.bytes));
      yield bytes === undefined
        ? { name, refused: "not hexadecimal: two digits a byte" }
        : { name, bytes };
    }
  }
}

function fromHex(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromHex(text.replace(/[\s:]/g, ""));
  } catch {
    return undefined;
  }
}
