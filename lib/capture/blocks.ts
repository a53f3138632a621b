import { ETHERNET } from "./link.ts";
import { MAX_PACKET, viewOf } from "./packet.ts";
import { ENHANCED_PACKET, INTERFACE, ORDER, SECTION } from "./pcapng.ts";
import {
  COMMENT,
  NAME,
  padded,
  TSRESOL,
  USER_APPLICATION,
} from "./pcapng_options.ts";

// An option's length has 16 bits.
const MAX_TEXT = 65_535;
const INTERFACE_NAME = "pli";
// Nanoseconds, as a power of ten.
const NANOSECONDS = new Uint8Array([9]);
const FRAME = 12;
const PACKET_FIELDS = 20;

const encoder = new TextEncoder();

/** An option to write. */
type NewOption = readonly [code: number, value: Uint8Array];

/** Returns the blocks that begin a file: a section, and one interface. */
export function headerBlocks(
  application: string,
  comment: string | undefined,
): Uint8Array<ArrayBuffer> {
  const section = new DataView(new ArrayBuffer(16));
  section.setUint32(0, ORDER, true);
  section.setUint16(4, 1, true);
  // The section's length is not known.
  section.setBigInt64(8, -1n, true);
  const description = new DataView(new ArrayBuffer(8));
  description.setUint16(0, ETHERNET, true);
  description.setUint32(4, MAX_PACKET, true);
  const first = block(SECTION, [bytesOf(section)], [
    ...(comment === undefined ? [] : [comment]).map(commentOption),
    [USER_APPLICATION, textBytes(application)],
  ]);
  const second = block(INTERFACE, [bytesOf(description)], [
    [NAME, textBytes(INTERFACE_NAME)],
    [TSRESOL, NANOSECONDS],
  ]);
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

/** Returns the block of a packet that is given in two parts. */
export function packetBlock(
  time: bigint,
  headers: Uint8Array,
  data: Uint8Array,
  comments: readonly string[],
): Uint8Array<ArrayBuffer> {
  const fields = new DataView(new ArrayBuffer(PACKET_FIELDS));
  const length = headers.length + data.length;
  fields.setUint32(4, Number(time >> 32n), true);
  fields.setUint32(8, Number(time & 0xffffffffn), true);
  fields.setUint32(12, length, true);
  fields.setUint32(16, length, true);
  return block(
    ENHANCED_PACKET,
    [bytesOf(fields), headers, data],
    comments.map(commentOption),
  );
}

/** @param parts Its body, filled up to whole words. */
function block(
  type: number,
  parts: readonly Uint8Array[],
  options: readonly NewOption[],
): Uint8Array<ArrayBuffer> {
  const body = padded(parts.reduce((sum, part) => sum + part.length, 0));
  const more = options.reduce(
    (sum, [, value]) => sum + 4 + padded(value.length),
    options.length > 0 ? 4 : 0,
  );
  const length = FRAME + body + more;
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  let offset = 8;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  offset = 8 + body;
  for (const [code, value] of options) {
    view.setUint16(offset, code, true);
    view.setUint16(offset + 2, value.length, true);
    bytes.set(value, offset + 4);
    offset += 4 + padded(value.length);
  }
  view.setUint32(length - 4, length, true);
  return bytes;
}

function commentOption(text: string): NewOption {
  return [COMMENT, textBytes(text)];
}

/** Returns UTF-8, cut between two characters if it is too long. */
function textBytes(text: string): Uint8Array {
  const bytes = encoder.encode(text);
  if (bytes.length <= MAX_TEXT) return bytes;
  const room = new Uint8Array(MAX_TEXT);
  return room.subarray(0, encoder.encodeInto(text, room).written);
}

function bytesOf({ buffer }: DataView<ArrayBuffer>): Uint8Array {
  return new Uint8Array(buffer);
}
