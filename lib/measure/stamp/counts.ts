import { COUNTS, readTlvs, type Tlv, TLV_HEADER, writeTlv } from "./tlv.ts";

/** What a reflector of this library counted in a session so far. */
export interface SessionCounts {
  /** Questions that arrived, except those for the counts. */
  readonly received: number;
  /** How many different numbers they had. */
  readonly distinct: number;
  /** How many of them had a number that had arrived before. */
  readonly duplicates: number;
  /** How many arrived reordered (RFC 4737, section 3.3). */
  readonly reordered: number;
  /** The largest extent of a reordered one (RFC 4737, section 4.2). */
  readonly maxExtent: number;
  /** The sum of the extents. */
  readonly sumOfExtents: number;
  /** How many were answered. */
  readonly answered: number;
  /** How many were refused: the session was over its rate, or they were too long. */
  readonly limited: number;
  /**
   * How many datagrams the reflector's system dropped since the session began;
   * `undefined` if it does not say so.
   */
  readonly dropped: number | undefined;
  /** Whether there were other sessions, to which dropped ones may belong. */
  readonly isShared: boolean;
}

// "Pli", and the version of the form.
const MAGIC = 0x506c6901;
const IS_DROPPED_KNOWN = 1;
const IS_SHARED = 2;
const IS_ANSWER = 4;

const FIELDS = [
  "received",
  "distinct",
  "duplicates",
  "reordered",
  "maxExtent",
  "sumOfExtents",
  "answered",
  "limited",
  "dropped",
] as const;

const VALUE_SIZE = 8 + FIELDS.length * 8;

/** How many bytes the extension has: those a question for counts has to have. */
export const COUNTS_SIZE: number = TLV_HEADER + VALUE_SIZE;

/** Writes the extension that asks a reflector for its counts. */
export function writeCountsQuestion(packet: Uint8Array, offset: number): void {
  writeTlv(packet, offset, COUNTS, VALUE_SIZE);
  viewOf(packet, offset + TLV_HEADER).setUint32(0, MAGIC);
}

/** Returns the extension with a place for counts, if the packet has one. */
export function findCounts(packet: Uint8Array, from: number): Tlv | undefined {
  return readTlvs(packet, from).find(({ type, value }) =>
    type === COUNTS && value.length === VALUE_SIZE &&
    viewOf(value, 0).getUint32(0) === MAGIC
  );
}

/** Writes counts into the value of their extension. */
export function writeCounts(value: Uint8Array, counts: SessionCounts): void {
  const view = viewOf(value, 0);
  const { dropped, isShared } = counts;
  view.setUint32(
    4,
    IS_ANSWER | (dropped === undefined ? 0 : IS_DROPPED_KNOWN) |
      (isShared ? IS_SHARED : 0),
  );
  FIELDS.forEach((name, i) =>
    view.setBigUint64(8 + i * 8, BigInt(counts[name] ?? 0))
  );
}

/** Reads counts; `undefined` if no reflector has filled them in. */
export function readCounts(value: Uint8Array): SessionCounts | undefined {
  const view = viewOf(value, 0);
  const flags = view.getUint32(4);
  if ((flags & IS_ANSWER) === 0) return undefined;
  const at = (name: typeof FIELDS[number]) =>
    Number(view.getBigUint64(8 + FIELDS.indexOf(name) * 8));
  return {
    received: at("received"),
    distinct: at("distinct"),
    duplicates: at("duplicates"),
    reordered: at("reordered"),
    maxExtent: at("maxExtent"),
    sumOfExtents: at("sumOfExtents"),
    answered: at("answered"),
    limited: at("limited"),
    dropped: (flags & IS_DROPPED_KNOWN) === 0 ? undefined : at("dropped"),
    isShared: (flags & IS_SHARED) !== 0,
  };
}

function viewOf(bytes: Uint8Array, offset: number): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + offset);
}
