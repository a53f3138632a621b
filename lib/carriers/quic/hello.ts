import { createHash, timingSafeEqual } from "node:crypto";
import { type ByteReader, viewOf } from "./byte_reader.ts";

/** The protocol's name in the handshake (ALPN, RFC 7301). */
export const ALPN = "pli/1";
/** The longest token, in bytes. */
export const MAX_TOKEN = 1024;

const RELIABLE = 1;

/** What an end announces first on the first stream. */
export interface Hello {
  /** Whether messages are to be sent on streams. */
  reliable: boolean;
  /** The longest message that it accepts, in bytes. */
  largest: number;
}

/** Flags (1 byte) and the longest message (4 bytes, big-endian). */
function encode({ reliable, largest }: Hello, more: number): DataView {
  const view = new DataView(new ArrayBuffer(5 + more));
  view.setUint8(0, reliable ? RELIABLE : 0);
  view.setUint32(1, largest);
  return view;
}

/** Encodes a server's hello. */
export function serverHello(hello: Hello): Uint8Array {
  return new Uint8Array(encode(hello, 0).buffer);
}

/** Encodes a client's hello, followed by the token's length (2 bytes) and the token. */
export function clientHello(hello: Hello, token: Uint8Array): Uint8Array {
  const view = encode(hello, 2 + token.length);
  view.setUint16(5, token.length);
  const bytes = new Uint8Array(view.buffer);
  bytes.set(token, 7);
  return bytes;
}

/** Reads the other end's hello; `undefined` if it is invalid or missing. */
export async function readHello(
  stream: ByteReader,
): Promise<Hello | undefined> {
  const bytes = await stream.take(5);
  if (bytes === undefined) return undefined;
  const view = viewOf(bytes);
  const flags = view.getUint8(0);
  if (flags > RELIABLE) return undefined;
  return { reliable: flags === RELIABLE, largest: view.getUint32(1) };
}

/** Reads the token after a client's hello; `undefined` if it is too long or missing. */
export async function readToken(
  stream: ByteReader,
): Promise<Uint8Array | undefined> {
  const length = await stream.take(2);
  if (length === undefined) return undefined;
  const size = viewOf(length).getUint16(0);
  return size <= MAX_TOKEN ? await stream.take(size) : undefined;
}

/** Compares tokens in a time that reveals nothing about the right one. */
export function isToken(given: Uint8Array, token: Uint8Array): boolean {
  return timingSafeEqual(digest(given), digest(token));
}

function digest(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}
