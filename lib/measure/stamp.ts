/**
 * The packets of STAMP (RFC 8762) without authentication, with the session
 * identifier and the extensions of RFC 8972. Times are in milliseconds since
 * 1970.
 */
import {
  COUNTS_SIZE,
  findCounts,
  readCounts,
  type SessionCounts,
  writeCounts,
  writeCountsQuestion,
} from "./stamp/counts.ts";
import {
  type ErrorEstimate,
  readError,
  readTime,
  writeError,
  writeTime,
} from "./stamp/time.ts";
import {
  EXTRA_PADDING,
  markTlv,
  readTlvs,
  TLV_HEADER,
  writeTlv,
} from "./stamp/tlv.ts";

export type { SessionCounts } from "./stamp/counts.ts";
export type { ErrorEstimate, TimeFormat } from "./stamp/time.ts";

/** How long a packet is, without padding and extensions, in bytes. */
export const STAMP_SIZE = 44;
/**
 * The shortest question that can be answered, in bytes: that of a TWAMP Light
 * sender whose padding makes both ways the same size (RFC 6038).
 */
export const TWAMP_SIZE = 41;
/** How long a question for the counts of a session is at least, in bytes. */
export const COUNTS_QUESTION_SIZE: number = STAMP_SIZE + COUNTS_SIZE;

// An unknown time to live (RFC 5357, section 4.2.1).
const UNKNOWN_TTL = 255;
// NTP's own format, and a clock of which nothing is known: it may be a second off.
const UNKNOWN_CLOCK: ErrorEstimate = {
  synchronized: false,
  format: "ntp",
  errorMs: 1000,
};

// Where the fields begin.
const TIME = 4;
const ERROR = 12;
const SSID = 14;
const RECEIVED = 16;
const SENDER_NUMBER = 24;
const SENDER_TIME = 28;
const SENDER_ERROR = 36;
const SENDER_TTL = 40;
// What some TWAMP Light reflectors send: no time to live.
const LEAST_ANSWER = SENDER_TTL - 2;
// So far apart an answer's times may be; a question has none, or any bytes.
const LONGEST_ANSWER_MS = 60_000;

/** A question: what a session sender sends (RFC 8762, section 4.2.1). */
export interface StampQuestion {
  /** Its number, 32 bits. */
  readonly number: number;
  /** When it was sent. */
  readonly timeMs: number;
  /** How good that time is. */
  readonly error: ErrorEstimate;
  /** The identifier of its session, 16 bits; 0 if there is none. */
  readonly ssid: number;
}

/** How a question is made. */
export interface QuestionOptions extends Partial<StampQuestion> {
  /** Its length in bytes, at least 44; the rest is padding. @default {44} */
  readonly size?: number | undefined;
  /**
   * What the padding is: plain zeros, as TWAMP Light has it, or an Extra Padding
   * extension (RFC 8972, section 4.1), if at least 4 bytes are left.
   * @default {"zeros"}
   */
  readonly padding?: "zeros" | "tlv" | undefined;
  /**
   * Whether it asks for the counts of the session instead of being a part of it;
   * `size` is then at least 128.
   * @default {false}
   */
  readonly asksForCounts?: boolean | undefined;
}

/** An answer: what a session reflector sends (RFC 8762, section 4.3.1). */
export interface StampAnswer {
  /** The reflector's number: its own of the session, or a copy of the question's. */
  readonly number: number;
  /** When it was sent. */
  readonly timeMs: number;
  /** How good the reflector's times are. */
  readonly error: ErrorEstimate;
  /** The identifier of the session, 16 bits. */
  readonly ssid: number;
  /** When the question arrived. */
  readonly receivedMs: number;
  /** The number, the time and the error estimate of the question. */
  readonly question: Omit<StampQuestion, "ssid">;
  /** The question's time to live on arrival, or 255. */
  readonly ttl: number;
  /**
   * The counts of the session, if the question asked for them and the reflector
   * is one of this library.
   */
  readonly counts: SessionCounts | undefined;
}

/** What a reflector adds to a question. */
export interface AnswerOptions {
  /** The number of the answer, 32 bits. */
  readonly number: number;
  /** When the question arrived. */
  readonly receivedMs: number;
  /** When the answer is sent; see {@linkcode stampTime}. @default {`receivedMs`} */
  readonly timeMs?: number | undefined;
  /** How good these times are. @default {not synchronized, a second} */
  readonly error?: ErrorEstimate | undefined;
  /** The question's time to live on arrival. @default {255, unknown} */
  readonly ttl?: number | undefined;
  /** The counts, if the question asked for them. */
  readonly counts?: SessionCounts | undefined;
}

/** Returns a question as a packet. */
export function encodeQuestion(
  options: QuestionOptions,
): Uint8Array<ArrayBuffer> {
  const { number = 0, timeMs = 0, error = UNKNOWN_CLOCK, ssid = 0 } = options;
  const { padding = "zeros", asksForCounts = false } = options;
  const least = asksForCounts ? COUNTS_QUESTION_SIZE : STAMP_SIZE;
  const size = Math.max(options.size ?? 0, least);
  const packet = new Uint8Array(size);
  const view = viewOf(packet);
  view.setUint32(0, number);
  writeTime(view, TIME, timeMs, error.format);
  writeError(view, ERROR, error);
  view.setUint16(SSID, ssid);
  if (asksForCounts) writeCountsQuestion(packet, STAMP_SIZE);
  if (padding === "tlv" && size >= least + TLV_HEADER) {
    writeTlv(packet, least, EXTRA_PADDING, size - least - TLV_HEADER);
  }
  return packet;
}

/**
 * Sets the time of a packet: the last thing before it is sent.
 *
 * @param timeMs The time, in the format that the packet's error estimate names.
 */
export function stampTime(packet: Uint8Array, timeMs: number): void {
  const view = viewOf(packet);
  writeTime(view, TIME, timeMs, readError(view, ERROR).format);
}

/** Sets the number of a packet. */
export function stampNumber(packet: Uint8Array, number: number): void {
  viewOf(packet).setUint32(0, number);
}

/** Reads a question; `undefined` if it is too short to be answered. */
export function decodeQuestion(packet: Uint8Array): StampQuestion | undefined {
  if (packet.length < TWAMP_SIZE) return undefined;
  const view = viewOf(packet);
  const error = readError(view, ERROR);
  return {
    number: view.getUint32(0),
    timeMs: readTime(view, TIME, error.format),
    error,
    ssid: view.getUint16(SSID),
  };
}

/** Returns the number of a packet, of at least 4 bytes. */
export function numberOf(packet: Uint8Array): number {
  const high = packet[0]! << 24 | packet[1]! << 16;
  return (high | packet[2]! << 8 | packet[3]!) >>> 0;
}

/** Returns the session identifier of a packet, of at least 16 bytes. */
export function ssidOf(packet: Uint8Array): number {
  return packet[SSID]! << 8 | packet[SSID + 1]!;
}

/** Returns whether a question asks for the counts of its session. */
export function asksForCounts(packet: Uint8Array): boolean {
  return findCounts(packet, STAMP_SIZE) !== undefined;
}

/**
 * Returns whether a packet, of at least 41 bytes, is an answer rather than a
 * question: where a question has zeros or padding, it has the time at which a
 * reflector received it, shortly before the one at which it was sent.
 */
export function isAnswer(packet: Uint8Array): boolean {
  let hasReceived = false;
  // Faster than a view, for the questions that most packets are.
  for (let i = RECEIVED; i < SENDER_NUMBER; i++) {
    hasReceived ||= packet[i] !== 0;
  }
  if (!hasReceived) return false;
  const view = viewOf(packet);
  if (view.getUint16(LEAST_ANSWER) !== 0) return false;
  const { format } = readError(view, ERROR);
  const ms = readTime(view, TIME, format) - readTime(view, RECEIVED, format);
  return ms > -1 && ms < LONGEST_ANSWER_MS;
}

/** Returns the answer to a question: see {@linkcode writeAnswer}. */
export function encodeAnswer(
  question: Uint8Array,
  options: AnswerOptions,
): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(question);
  writeAnswer(packet, options);
  return packet;
}

/**
 * Turns a question into its answer, of the same length. Extensions stay and are
 * marked: Extra Padding and an answered question for counts as known, all others
 * as not recognized.
 *
 * @param packet A question of at least 41 bytes.
 */
export function writeAnswer(packet: Uint8Array, options: AnswerOptions): void {
  const { number, receivedMs, timeMs = receivedMs, counts } = options;
  const { error = UNKNOWN_CLOCK, ttl = UNKNOWN_TTL } = options;
  // Number, time and error estimate, which are followed by two bytes of 0.
  packet.copyWithin(SENDER_NUMBER, 0, SSID);
  packet.fill(0, SENDER_ERROR + 2, STAMP_SIZE);
  packet[SENDER_TTL] = ttl;
  const view = viewOf(packet);
  view.setUint32(0, number);
  writeTime(view, TIME, timeMs, error.format);
  writeError(view, ERROR, error);
  writeTime(view, RECEIVED, receivedMs, error.format);
  const place = counts && findCounts(packet, STAMP_SIZE);
  if (place !== undefined) writeCounts(place.value, counts!);
  for (const tlv of extensionsOf(packet)) {
    const isKnown = tlv.type === EXTRA_PADDING || tlv.offset === place?.offset;
    markTlv(packet, tlv, isKnown);
  }
}

/**
 * Reads an answer; `undefined` if it is shorter than one. One of a TWAMP Light
 * reflector may have 38 bytes.
 */
export function decodeAnswer(packet: Uint8Array): StampAnswer | undefined {
  if (packet.length < LEAST_ANSWER) return undefined;
  const view = viewOf(packet);
  const error = readError(view, ERROR);
  const questionError = readError(view, SENDER_ERROR);
  const counts = findCounts(packet, STAMP_SIZE);
  return {
    number: view.getUint32(0),
    timeMs: readTime(view, TIME, error.format),
    error,
    ssid: view.getUint16(SSID),
    receivedMs: readTime(view, RECEIVED, error.format),
    question: {
      number: view.getUint32(SENDER_NUMBER),
      timeMs: readTime(view, SENDER_TIME, questionError.format),
      error: questionError,
    },
    ttl: packet[SENDER_TTL] ?? UNKNOWN_TTL,
    counts: counts && !counts.isUnrecognized
      ? readCounts(counts.value)
      : undefined,
  };
}

/**
 * Returns the extensions of a question. Padding that only looks like extensions,
 * such as random bytes of a TWAMP Light sender, does not have their first flag.
 */
function extensionsOf(packet: Uint8Array) {
  const tlvs = readTlvs(packet, STAMP_SIZE);
  const areAll = tlvs.every((tlv) => tlv.isUnrecognized && !tlv.isUnverified);
  return areAll ? tlvs : [];
}

function viewOf(packet: Uint8Array): DataView {
  return new DataView(packet.buffer, packet.byteOffset, packet.length);
}
