import { outOfRange, wholeNumber } from "../check.ts";
import type { Attempt } from "../errors.ts";

/**
 * A rate limit: a number of times per second, or that number and the burst that
 * is allowed. `Infinity` sets no limit.
 */
export type Rate = number | {
  /** Times per second, on average; may be a fraction. */
  perSecond: number;
  /**
   * How many times are allowed at once, a whole number from 1.
   * @default {the number per second, rounded up}
   */
  burst?: number | undefined;
};

/** A rate with its burst. */
interface Limit {
  readonly perSecond: number;
  readonly burst: number;
}

/** A token bucket: full at first, and refilled at its rate. */
export class Bucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  /** @param now Milliseconds, as in {@linkcode Bucket.take}. */
  constructor({ perSecond, burst }: Limit, now: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  /** Takes a token, if there is one. @returns Whether there was one. */
  take(now: number): boolean {
    this.#tokens = Math.min(
      this.#burst,
      this.#tokens + (now - this.#at) * this.#perMs,
    );
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

/**
 * Reads a rate, once, and checks it.
 *
 * @returns A copy.
 * @throws {RangeError} It is not a rate.
 */
export function readRate(
  attempt: string | Attempt,
  name: string,
  rate: Rate | undefined,
): Rate | undefined {
  if (rate === undefined) return undefined;
  if (typeof rate !== "number" && (typeof rate !== "object" || rate === null)) {
    const wanted = "a number per second, or { perSecond, burst }";
    throw outOfRange(attempt, name, wanted, rate);
  }
  const { perSecond, burst } = typeof rate === "number"
    ? { perSecond: rate, burst: undefined }
    : rate;
  if (typeof perSecond !== "number" || !(perSecond > 0)) {
    throw outOfRange(attempt, name, "more than 0 per second", perSecond);
  }
  if (burst !== undefined && perSecond !== Infinity) {
    wholeNumber(attempt, `the burst of ${name}`, burst, 1);
  }
  return burst === undefined ? perSecond : { perSecond, burst };
}

/** Returns a checked rate with its burst; `undefined` if there is no limit. */
export function limitOf(rate: Rate | undefined): Limit | undefined {
  const { perSecond, burst = Math.max(1, Math.ceil(perSecond)) } =
    typeof rate === "object" ? rate : { perSecond: rate ?? Infinity };
  return perSecond === Infinity ? undefined : { perSecond, burst };
}
