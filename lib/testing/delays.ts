import { outOfRange } from "../check.ts";
import { cannot, fieldsOf, quote, withFields } from "../errors.ts";

/**
 * How long datagrams take, in milliseconds: evenly distributed between `min` and
 * `max`; normally distributed, and never below 0; or one of several times.
 */
export type Delay =
  | { min: number; max: number }
  | { mean: number; deviation: number }
  | readonly DelaySample[];

/** A time that datagrams may take. */
export interface DelaySample {
  /** In milliseconds. */
  ms: number;
  /** How probable it is, compared with the others. @default {1} */
  weight?: number | undefined;
}

/** A distribution, checked. */
export type CheckedDelay =
  | { readonly min: number; readonly max: number }
  | { readonly mean: number; readonly deviation: number }
  | {
    readonly times: readonly number[];
    /** The weights of each time and of those before it. */
    readonly upTo: readonly number[];
  };

const NAME = "delayMs";
const MAX_SAMPLES = 10_000;
const LIMIT = Number.MAX_VALUE;
// The variance of an even number from 0 to 1 is 1/12.
const SUMMANDS = 12;

/**
 * Checks a distribution of delays, and copies it.
 *
 * @param action What it is given for, for the errors.
 * @throws {RangeError} It is none, or out of range.
 */
export function checkDelay(action: string, delay: unknown): CheckedDelay {
  if (Array.isArray(delay)) return oneOf(action, delay);
  const fields: Record<string, unknown> = typeof delay === "object"
    ? { ...delay }
    : {};
  const { min, max, mean, deviation, ...others } = fields;
  const isNormal = mean !== undefined || deviation !== undefined;
  const isEven = min !== undefined || max !== undefined;
  if (Object.keys(others).length > 0 || isNormal && isEven) {
    const wanted = "min and max, or mean and deviation, or be a list";
    const names = quote(Object.keys(fields).join(", "));
    const why = `${NAME} must have ${wanted}: given ${names}`;
    const text = cannot(action, why);
    throw withFields(new RangeError(text), fieldsOf(action));
  }
  if (isNormal) {
    return {
      mean: number(action, ".mean", mean, LIMIT),
      deviation: number(action, ".deviation", deviation, LIMIT),
    };
  }
  const most = number(action, ".max", max, LIMIT);
  return { min: number(action, ".min", min, most), max: most };
}

/**
 * Draws the delay of one datagram.
 *
 * @param even An even random number, from 0 to 1.
 * @param more Returns more of them.
 */
export function drawDelay(
  delay: CheckedDelay,
  even: number,
  more: () => number,
): number {
  if ("max" in delay) return delay.min + even * (delay.max - delay.min);
  if ("mean" in delay) return normal(delay.mean, delay.deviation, more);
  const { times, upTo } = delay;
  return times[firstAbove(upTo, even * upTo.at(-1)!)]!;
}

/**
 * The sum of even numbers is close to a normal distribution, up to 6 deviations,
 * and needs no function whose last digits depend on the runtime.
 */
function normal(mean: number, deviation: number, more: () => number): number {
  let sum = -SUMMANDS / 2;
  for (let n = 0; n < SUMMANDS; n++) sum += more();
  return Math.min(Math.max(0, mean + deviation * sum), LIMIT);
}

function oneOf(action: string, list: readonly unknown[]): CheckedDelay {
  const { length } = list;
  if (!(length >= 1 && length <= MAX_SAMPLES)) {
    const wanted = `1 to ${MAX_SAMPLES} times`;
    const text = cannot(action, `${NAME} must have ${wanted}: given ${length}`);
    throw withFields(new RangeError(text), fieldsOf(action));
  }
  const times: number[] = [];
  const upTo: number[] = [];
  let total = 0;
  for (const [n, sample] of list.entries()) {
    const { ms, weight = 1 }: Record<string, unknown> = Object(sample);
    times.push(number(action, `[${n}].ms`, ms, LIMIT));
    total += number(action, `[${n}].weight`, weight, LIMIT);
    upTo.push(total);
  }
  if (!(total > 0 && total < Infinity)) {
    throw outOfRange(
      action,
      `the sum of all weights of ${NAME}`,
      "a finite number above 0",
      total,
    );
  }
  return { times, upTo };
}

/** The index of the first sum that is larger; the last one has to be. */
function firstAbove(sums: readonly number[], value: number): number {
  let from = 0;
  let to = sums.length - 1;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (sums[middle]! > value) to = middle;
    else from = middle + 1;
  }
  return from;
}

function number(
  action: string,
  name: string,
  value: unknown,
  to: number,
): number {
  if (typeof value === "number" && value >= 0 && value <= to) return value;
  const upTo = to === LIMIT ? "" : ` to ${to}`;
  throw outOfRange(action, NAME + name, `a number from 0${upTo}`, value);
}
