import { operationOf, quote, withFields } from "./errors.ts";

const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Checks a whole number.
 *
 * @param action What it is an option of, as in "Cannot open a socket: …".
 * @param to The largest one; `Infinity` allows any, and is itself allowed.
 * @returns The number.
 * @throws {RangeError} Anything else is given.
 */
export function wholeNumber(
  action: string,
  name: string,
  value: unknown,
  from: number,
  to: number = Number.MAX_SAFE_INTEGER,
): number {
  if (
    typeof value === "number" && value >= from && value <= to &&
    (Number.isInteger(value) || value === Infinity)
  ) return value;
  const range = to === Infinity
    ? `from ${from}, or Infinity`
    : to === Number.MAX_SAFE_INTEGER
    ? `from ${from}`
    : `from ${from} to ${to}`;
  throw outOfRange(action, name, `a whole number ${range}`, value);
}

/**
 * Checks a time limit in milliseconds.
 *
 * @param from The smallest one.
 * @returns The limit; `undefined` if there is none, which `Infinity` means too.
 * @throws {RangeError} Not a number from `from` to 2^31 - 1.
 */
export function milliseconds(
  action: string,
  name: string,
  value: unknown,
  from = 0,
): number | undefined {
  if (value === undefined || value === Infinity) return undefined;
  if (typeof value === "number" && value >= from && value <= MAX_TIMEOUT_MS) {
    return value;
  }
  throw outOfRange(
    action,
    name,
    `milliseconds from ${from} to ${MAX_TIMEOUT_MS}, or Infinity`,
    value,
  );
}

/** Says what was wrong, what would be valid, and what was given. */
export function outOfRange(
  action: string,
  name: string,
  wanted: string,
  value: unknown,
): RangeError {
  return withFields(
    new RangeError(
      `Cannot ${action}: ${name} must be ${wanted}: given ${shown(value)}`,
    ),
    { operation: operationOf(action) },
  );
}

/** Says that a value is of the wrong type: what would do, what was given. */
export function wrongType(
  action: string,
  name: string,
  wanted: string,
  value: unknown,
): TypeError {
  return withFields(
    new TypeError(
      `Cannot ${action}: ${name} must be ${wanted}: given ${shown(value)}`,
    ),
    { operation: operationOf(action) },
  );
}

/** A value of any type, short enough for one line. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "bigint":
      return `${value}n`;
    case "function":
      return "a function";
    case "symbol":
      return "a symbol";
    case "object":
      return value === null
        ? "null"
        : Array.isArray(value)
        ? "an array"
        : "an object";
    default:
      return String(value);
  }
}
