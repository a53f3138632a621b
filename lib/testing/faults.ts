import { outOfRange, wrongType } from "../check.ts";
import { cannot, fieldsOf, quote, withFields } from "../errors.ts";
import { checkDelay, type CheckedDelay, type Delay } from "./delays.ts";

/**
 * What a link does to the datagrams that cross it, such as packet loss.
 * Probabilities are numbers from 0 to 1 and are drawn for each datagram. A fault
 * that is not given does not happen.
 */
export interface Faults {
  /** Probability that a datagram is lost. @default {0} */
  loss?: number | undefined;
  /** Probability that a datagram arrives twice. @default {0} */
  duplicate?: number | undefined;
  /**
   * The same if the datagram before arrived twice, so that copies come in bursts.
   * @default {the same as `duplicate`}
   */
  duplicateAgain?: number | undefined;
  /**
   * Losses that come in bursts (Gilbert-Elliott), besides `loss`. Each datagram
   * may begin a burst or end it.
   * @default {none}
   */
  burst?: Burst | undefined;
  /**
   * Probability that a datagram is held back by up to 20 ms more, so that those
   * sent in the meantime overtake it. A protocol that sends its next datagram
   * later than that is never reordered. Without it a link keeps the order,
   * whatever its delay.
   * @default {0}
   */
  reorder?: number | undefined;
  /**
   * Probability that one bit of a datagram is flipped. (A real UDP checksum
   * detects most such errors, and the system then drops the datagram.)
   * @default {0}
   */
  corrupt?: number | undefined;
  /**
   * How long a datagram takes, in milliseconds. Besides a range it can be
   * `{ mean: 50, deviation: 10 }`, or a list as `[{ ms: 20, weight: 9 }, { ms: 200 }]`.
   * @default {{ min: 0, max: 0 }}
   */
  delayMs?: Delay | undefined;
  /** The largest datagram that passes, in bytes. @default {no limit} */
  mtu?: number | undefined;
  /**
   * Bits per second. Each datagram takes its bytes and 28 bytes of headers (IPv4
   * and UDP: RFC 791, RFC 768).
   * @default {no limit}
   */
  bandwidth?: number | undefined;
  /**
   * How many datagrams may wait for `bandwidth`; more are dropped.
   * @default {1024}
   */
  queue?: number | undefined;
}

/** Losses in bursts: probabilities, drawn for each datagram. */
export interface Burst {
  /** That a burst begins, if there is none. */
  enter: number;
  /** That a burst ends. On average it has 1 / `leave` datagrams. */
  leave: number;
  /** That a datagram of a burst is lost. 0 ends all bursts. @default {1} */
  loss?: number | undefined;
}

/** All faults, checked. */
export interface CheckedFaults {
  readonly loss: number;
  readonly duplicate: number;
  readonly duplicateAgain: number | undefined;
  readonly burst: { readonly [name in keyof Burst]-?: number };
  readonly reorder: number;
  readonly corrupt: number;
  readonly delayMs: CheckedDelay;
  readonly mtu: number;
  readonly bandwidth: number;
  readonly queue: number;
}

const ACTION = "simulate faults";

const NO_FAULTS: CheckedFaults = {
  loss: 0,
  duplicate: 0,
  duplicateAgain: undefined,
  burst: { enter: 0, leave: 1, loss: 0 },
  reorder: 0,
  corrupt: 0,
  delayMs: checkDelay(ACTION, { min: 0, max: 0 }),
  mtu: Infinity,
  bandwidth: Infinity,
  queue: 1024,
};

/** How each fault is checked. @returns A copy. */
const CHECKS: {
  readonly [name in keyof CheckedFaults]: (
    value: unknown,
    name: string,
  ) => CheckedFaults[name];
} = {
  loss: probability,
  duplicate: probability,
  duplicateAgain: probability,
  burst: checkBurst,
  reorder: probability,
  corrupt: probability,
  delayMs: (value) => checkDelay(ACTION, value),
  mtu: aboveZero,
  bandwidth: aboveZero,
  queue: aboveZero,
};

/**
 * Checks faults and completes them with others.
 *
 * @throws {RangeError} One of them is out of range.
 * @throws {TypeError} They are no object, or there is no such fault.
 */
export function checkFaults(
  faults: Faults,
  others: CheckedFaults = NO_FAULTS,
): CheckedFaults {
  return { ...others, ...checkGiven(faults) };
}

/**
 * Checks and copies the faults that are given: those that are not `undefined`.
 *
 * @throws As {@linkcode checkFaults}.
 */
export function checkGiven(faults: Faults): Partial<CheckedFaults> {
  if (typeof faults !== "object" || faults === null) {
    throw wrongType(ACTION, "faults", "an object", faults);
  }
  const checked: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(faults)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(CHECKS, name)) {
      const why = `there is no fault ${quote(name)}`;
      throw withFields(new TypeError(cannot(ACTION, why)), fieldsOf(ACTION));
    }
    checked[name] = CHECKS[name as keyof CheckedFaults](value, name);
  }
  return checked;
}

function probability(value: unknown, name: string): number {
  if (typeof value === "number" && value >= 0 && value <= 1) return value;
  throw outOfRange(ACTION, name, "a number from 0 to 1", value);
}

function aboveZero(value: unknown, name: string): number {
  if (typeof value === "number" && value > 0) return value;
  throw outOfRange(ACTION, name, "a number above 0", value);
}

function checkBurst(value: unknown): CheckedFaults["burst"] {
  const { enter, leave, loss = 1, ...others }: Record<string, unknown> = Object(
    value,
  );
  const [other] = Object.keys(others);
  if (other !== undefined) {
    const why = `burst has enter, leave and loss: given ${quote(other)}`;
    throw withFields(new TypeError(cannot(ACTION, why)), fieldsOf(ACTION));
  }
  return {
    enter: probability(enter, "burst.enter"),
    leave: probability(leave, "burst.leave"),
    loss: probability(loss, "burst.loss"),
  };
}

/**
 * Checks a seed.
 *
 * @throws {RangeError} Not a whole number.
 */
export function checkSeed(seed: unknown): number {
  if (Number.isSafeInteger(seed)) return seed as number;
  throw outOfRange(ACTION, "seed", "a whole number", seed);
}
