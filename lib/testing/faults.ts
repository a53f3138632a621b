import { outOfRange, wrongType } from "../check.ts";
import { cannot, fieldsOf, quote, withFields } from "../errors.ts";

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
   * How long a datagram takes, in milliseconds: evenly distributed between the
   * two.
   * @default {{ min: 0, max: 0 }}
   */
  delayMs?: { min: number; max: number } | undefined;
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

/** All faults, checked. */
export interface CheckedFaults {
  readonly loss: number;
  readonly duplicate: number;
  readonly reorder: number;
  readonly corrupt: number;
  readonly delayMs: { readonly min: number; readonly max: number };
  readonly mtu: number;
  readonly bandwidth: number;
  readonly queue: number;
}

const ACTION = "simulate faults";

const PROBABILITIES = ["loss", "duplicate", "reorder", "corrupt"] as const;

const NO_FAULTS: CheckedFaults = {
  loss: 0,
  duplicate: 0,
  reorder: 0,
  corrupt: 0,
  delayMs: { min: 0, max: 0 },
  mtu: Infinity,
  bandwidth: Infinity,
  queue: 1024,
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
  const checked = { ...others, ...given(faults) } as CheckedFaults;
  const check = (name: string, value: unknown, from: number, to: number) => {
    if (typeof value === "number" && value >= from && value <= to) return;
    const upTo = to === Number.MAX_VALUE ? "" : ` to ${to}`;
    throw outOfRange(ACTION, name, `a number from ${from}${upTo}`, value);
  };
  for (const name of PROBABILITIES) check(name, checked[name], 0, 1);
  const { min, max } = checked.delayMs ?? {};
  check("delayMs.max", max, 0, Number.MAX_VALUE);
  check("delayMs.min", min, 0, max);
  for (const name of ["mtu", "bandwidth", "queue"] as const) {
    const value: unknown = checked[name];
    if (typeof value === "number" && value > 0) continue;
    throw outOfRange(ACTION, name, "a number above 0", value);
  }
  return checked;
}

/**
 * Copies the faults that are given: those that are not `undefined`.
 *
 * @throws {TypeError} They are no object, or there is no such fault.
 */
export function given(faults: Faults): Faults {
  if (!isObject(faults)) {
    throw wrongType(ACTION, "faults", "an object", faults);
  }
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(faults)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(NO_FAULTS, name)) {
      const why = `there is no fault ${quote(name)}`;
      throw withFields(new TypeError(cannot(ACTION, why)), fieldsOf(ACTION));
    }
    copy[name] = isObject(value) ? { ...value } : value;
  }
  return copy;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
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
