/** The types of extensions that the library knows (RFC 8972, section 5.1). */
export const EXTRA_PADDING = 1;
/** One of those for experiments; see the counts of a session. */
export const COUNTS = 246;

/** How many bytes an extension has before its value. */
export const TLV_HEADER = 4;

// Many empty ones in one packet must not cost much time.
const MAX_TLVS = 32;

const UNRECOGNIZED = 0x80;
const MALFORMED = 0x40;
const INTEGRITY = 0x20;

/** An extension of a packet (RFC 8972, section 4). */
export interface Tlv {
  /** Its type. */
  readonly type: number;
  /** The reflector did not know the type. Set in a question. */
  readonly isUnrecognized: boolean;
  /** The reflector found the extension malformed, or it is cut. */
  readonly isMalformed: boolean;
  /** The reflector could not verify the extensions. */
  readonly isUnverified: boolean;
  /** Where it begins in the packet, in bytes. */
  readonly offset: number;
  /** Its value, a view of the packet. */
  readonly value: Uint8Array;
}

/**
 * Writes the header of an extension as it is in a question: not recognized so
 * far.
 */
export function writeTlv(
  packet: Uint8Array,
  offset: number,
  type: number,
  length: number,
): void {
  packet[offset] = UNRECOGNIZED;
  packet[offset + 1] = type;
  packet[offset + 2] = length >> 8;
  packet[offset + 3] = length & 0xff;
}

/**
 * Returns the extensions of a packet, from an offset on. What is no extension is
 * padding and ends them: four bytes of 0, or too few bytes for a header. At most 32
 * are read.
 */
export function readTlvs(packet: Uint8Array, from: number): Tlv[] {
  const tlvs: Tlv[] = [];
  let offset = from;
  while (offset + TLV_HEADER <= packet.length && tlvs.length < MAX_TLVS) {
    const flags = packet[offset]!;
    const type = packet[offset + 1]!;
    if (flags === 0 && type === 0) break;
    const length = packet[offset + 2]! << 8 | packet[offset + 3]!;
    const begin = offset + TLV_HEADER;
    const isCut = begin + length > packet.length;
    tlvs.push({
      type,
      isUnrecognized: (flags & UNRECOGNIZED) !== 0,
      isMalformed: isCut || (flags & MALFORMED) !== 0,
      isUnverified: (flags & INTEGRITY) !== 0,
      offset,
      value: packet.subarray(begin, begin + length),
    });
    if (isCut) break;
    offset = begin + length;
  }
  return tlvs;
}

/** Sets the flags of an extension as a reflector does. */
export function markTlv(
  packet: Uint8Array,
  { offset, isMalformed }: Tlv,
  isKnown: boolean,
): void {
  packet[offset] = (isKnown ? 0 : UNRECOGNIZED) | (isMalformed ? MALFORMED : 0);
}
