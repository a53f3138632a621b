import type { NetAddr } from "../../addr.ts";
import { isAnswer, TWAMP_SIZE } from "../stamp.ts";

/** The longest question that is answered, in bytes: a jumbo frame's. */
export const MAX_QUESTION = 9000;

// The port of STAMP and TWAMP, and those of the system's services: time, name
// and other servers there answer what they get.
const FIRST_USER_PORT = 1024;

/** How many datagrams a reflector did not answer, by reason. */
export interface Refusals {
  /** Shorter than 41 bytes: no question, or its answer would be longer. */
  tooShort: number;
  /** Longer than 9,000 bytes. */
  tooLong: number;
  /**
   * From a port that a server may have: the reflector's own, 862, or one below
   * 1024, unless `allowPorts` has it.
   */
  port: number;
  /** Answers of a reflector. */
  answer: number;
  /** There were 1,000 sessions, none of them silent. */
  sessions: number;
  /** Their session, or their host, was over its rate. */
  rate: number;
  /**
   * Their peer did not take its answers, or asked for its counts while they were
   * being read.
   */
  busy: number;
  /** The system could not send the answer. */
  notSent: number;
}

/** Returns refusals of which none has happened. */
export function noRefusals(): Refusals {
  return {
    tooShort: 0,
    tooLong: 0,
    port: 0,
    answer: 0,
    sessions: 0,
    rate: 0,
    busy: 0,
    notSent: 0,
  };
}

/** Decides which ports are answered. */
export class Ports {
  readonly #own: number;
  readonly #allowed: ReadonlySet<number>;

  /** @param own The reflector's. */
  constructor(own: number, allowed: readonly number[]) {
    this.#own = own;
    this.#allowed = new Set(allowed);
  }

  /** Returns whether a server may have sent it, which might answer the answer. */
  refuses({ port }: NetAddr): boolean {
    return (port < FIRST_USER_PORT || port === this.#own) &&
      !this.#allowed.has(port);
  }
}

/** Returns why a datagram is no question; `undefined` if it is one. */
export function refusalOf(
  packet: Uint8Array,
): "tooShort" | "answer" | undefined {
  if (packet.length < TWAMP_SIZE) return "tooShort";
  return isAnswer(packet) ? "answer" : undefined;
}
