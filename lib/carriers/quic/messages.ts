import type { ByteReader } from "./byte_reader.ts";
import { viewOf } from "./hello.ts";

const LENGTH = 4;

/** Returns how many bytes the longest message takes on a stream. */
export function longestOf(maxMessage: number): number {
  return LENGTH + maxMessage;
}

/** Returns the bytes of a message on a stream: its length (4 bytes), its data. */
export function encodeMessage(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(LENGTH + data.length);
  viewOf(bytes).setUint32(0, data.length);
  bytes.set(data, LENGTH);
  return bytes;
}

/**
 * Reads the next message of a stream.
 *
 * @returns Its data; `undefined` if the stream ended; `"too long"` if it is
 * longer than `largest`.
 * @throws What the stream fails with.
 */
export async function readMessage(
  stream: ByteReader,
  largest: number,
): Promise<Uint8Array | "too long" | undefined> {
  const length = await stream.take(LENGTH);
  if (length === undefined) return undefined;
  const size = viewOf(length).getUint32(0);
  return size > largest ? "too long" : await stream.take(size);
}
