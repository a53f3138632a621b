import { badType } from "./checks.ts";
import { failure } from "./failures.ts";

const WANTED =
  "of type string or an instance of Buffer, TypedArray, or DataView";
const encoder = new TextEncoder();

/** Returns a part of what is to be sent. @throws As Node does. */
export function slice(
  message: unknown,
  offset: unknown,
  length: unknown,
): Uint8Array {
  const bytes = bytesOf(message, "buffer", message);
  const [from, size] = [Number(offset) >>> 0, Number(length) >>> 0];
  if (from > bytes.length) throw outOfBounds("offset");
  if (from + size > bytes.length) throw outOfBounds("length");
  return bytes.subarray(from, from + size);
}

/**
 * Returns what is to be sent as bytes. The parts of a list are copied, a single
 * view is not.
 *
 * @throws {TypeError} It cannot be sent.
 */
export function toBytes(message: unknown): Uint8Array {
  if (!Array.isArray(message)) return bytesOf(message, "buffer", message);
  const parts = message.map((part) =>
    bytesOf(part, "buffer list arguments", message)
  );
  if (parts.length === 1) return parts[0]!;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function bytesOf(part: unknown, name: string, given: unknown): Uint8Array {
  if (part instanceof Uint8Array) return part;
  if (typeof part === "string") return encoder.encode(part);
  if (!ArrayBuffer.isView(part)) throw badType(name, WANTED, given);
  return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
}

function outOfBounds(name: string): Error {
  return failure(
    "ERR_BUFFER_OUT_OF_BOUNDS",
    `"${name}" is outside of buffer bounds`,
    RangeError,
  );
}
