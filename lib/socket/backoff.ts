import { milliseconds, outOfRange, wrongType } from "../check.ts";
import type { Attempt } from "../errors.ts";

const MAX_MS = 2 ** 31 - 1;

/**
 * How the waits between sends grow. Without it, clients that started together
 * send again together, and a server that is overloaded stays so.
 *
 * RFC 8085 (section 3.1.3) asks for it wherever a message is sent again; CoAP (RFC
 * 7252, section 4.2) has a factor of 2 and a jitter of 0.5, STUN (RFC 8489, section
 * 6.2.1) a factor of 2.
 */
export interface Backoff {
  /** Each wait is so many times as long as the one before, 1 to 100. @default {2} */
  factor?: number | undefined;
  /**
   * Each wait is multiplied by a random number of 1 to 1 + `jitter`, 0 to 100. It
   * comes from the carrier, so that it is the same in each run of a simulated
   * network.
   * @default {0.5}
   */
  jitter?: number | undefined;
  /**
   * The longest wait before the jitter, in milliseconds: at least the first wait.
   * @default {Infinity}
   */
  maxMs?: number | undefined;
}

/** The waits between sends, one after another. */
export class Waits {
  readonly #random: () => number;
  readonly #factor: number;
  readonly #jitter: number;
  readonly #maxMs: number;
  #next: number;

  /**
   * @param firstMs The first wait, without jitter.
   * @param backoff As the program gave it. @default {all waits are equal}
   * @param random Returns a number from 0 to 1. It may be the program's.
   * @throws {RangeError} A number of `backoff` is out of range.
   * @throws {TypeError} `backoff` is not an object.
   */
  constructor(
    attempt: Attempt,
    firstMs: number,
    backoff: Backoff | undefined,
    random: () => number,
  ) {
    const { factor, jitter, maxMs } = read(attempt, firstMs, backoff);
    this.#random = random;
    this.#factor = factor;
    this.#jitter = jitter;
    this.#maxMs = maxMs;
    this.#next = firstMs;
  }

  /** Returns the next wait, in milliseconds. */
  next(): number {
    const ms = this.#next;
    this.#next = Math.min(ms * this.#factor, this.#maxMs);
    const most = 1 + this.#jitter * this.#chance();
    return Math.min(ms * most, MAX_MS);
  }

  #chance(): number {
    if (this.#jitter === 0) return 0;
    try {
      const chance = this.#random();
      return chance >= 0 && chance <= 1 ? chance : Math.random();
    } catch {
      return Math.random();
    }
  }
}

function read(
  attempt: Attempt,
  firstMs: number,
  backoff: Backoff | undefined,
): Readonly<Record<"factor" | "jitter" | "maxMs", number>> {
  if (backoff === undefined) return { factor: 1, jitter: 0, maxMs: MAX_MS };
  if (typeof backoff !== "object" || backoff === null) {
    throw wrongType(attempt, "backoff", "an object", backoff);
  }
  const { factor = 2, jitter = 0.5, maxMs } = backoff;
  const max = milliseconds(attempt, "backoff.maxMs", maxMs, firstMs) ?? MAX_MS;
  return {
    factor: number(attempt, "backoff.factor", factor, 1),
    jitter: number(attempt, "backoff.jitter", jitter, 0),
    maxMs: max,
  };
}

function number(
  attempt: Attempt,
  name: string,
  value: unknown,
  from: number,
): number {
  if (typeof value === "number" && value >= from && value <= 100) return value;
  throw outOfRange(attempt, name, `a number from ${from} to 100`, value);
}
