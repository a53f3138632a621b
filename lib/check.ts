import { type Attempt, cannot, fieldsOf, quote, withFields } from "./errors.ts";

const MAX_TIMEOUT_MS = 2 ** 31 - 1;

// In each function below, `attempt` is the operation that the value is given
// for, as in "Cannot open a socket: …".

/**
 * Checks a whole number.
 *
 * @param to The largest number; `Infinity` allows any, and is itself allowed.
 * @returns The number.
 * @throws {RangeError} The value is anything else.
 */
export function wholeNumber(
  attempt: string | Attempt,
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
  throw outOfRange(attempt, name, `a whole number ${range}`, value);
}

/**
 * Checks a time limit in milliseconds.
 *
 * @param from The smallest one.
 * @returns The limit; `undefined` for no limit, which `Infinity` means too.
 * @throws {RangeError} The value is not a number from `from` to 2^31 - 1.
 */
export function milliseconds(
  attempt: string | Attempt,
  name: string,
  value: unknown,
  from = 0,
): number | undefined {
  if (value === undefined || value === Infinity) return undefined;
  if (typeof value === "number" && value >= from && value <= MAX_TIMEOUT_MS) {
    return value;
  }
  throw outOfRange(
    attempt,
    name,
    `milliseconds from ${from} to ${MAX_TIMEOUT_MS}, or Infinity`,
    value,
  );
}

/**
 * Checks the options object of a call, which may be left out.
 *
 * @throws {TypeError} The value is not an object.
 */
export function requireOptions(
  attempt: string | Attempt,
  value: unknown,
): void {
  if (value === undefined || typeof value === "object" && value !== null) {
    return;
  }
  throw wrongType(attempt, "options", "an object", value);
}

/**
 * Checks a callback.
 *
 * @throws {TypeError} The value is not a function.
 */
export function requireFunction(
  attempt: string | Attempt,
  name: string,
  value: unknown,
): void {
  if (typeof value === "function") return;
  throw wrongType(attempt, name, "a function", value);
}

/**
 * Checks an optional signal.
 *
 * @throws {TypeError} The value is not an `AbortSignal`.
 */
export function requireSignal(
  attempt: string | Attempt,
  value: unknown,
): void {
  if (value === undefined || isSignal(value)) return;
  throw wrongType(attempt, "signal", "an AbortSignal", value);
}

/** Whether it is a signal, and not only an object that inherits from one. */
function isSignal(value: unknown): boolean {
  try {
    return typeof (value as AbortSignal).aborted === "boolean" &&
      value instanceof AbortSignal;
  } catch {
    return false;
  }
}

/**
 * Reads counts that another object keeps. What is not a count, from 0, is left
 * out, so that every sum stays right.
 *
 * @param read May throw; then there are none.
 */
export function countsOf(read: () => unknown): Record<string, number> {
  try {
    return Object.fromEntries(
      Object.entries(read() ?? {}).filter(([_, n]) =>
        typeof n === "number" && n >= 0 && Number.isFinite(n)
      ),
    ) as Record<string, number>;
  } catch {
    return {};
  }
}

/** Makes the error for a value that is out of range. */
export function outOfRange(
  attempt: string | Attempt,
  name: string,
  wanted: string,
  value: unknown,
): RangeError {
  const text = refusal(attempt, name, wanted, value);
  return withFields(new RangeError(text), fieldsOf(attempt));
}

/** Makes the error for a value of the wrong type. */
export function wrongType(
  attempt: string | Attempt,
  name: string,
  wanted: string,
  value: unknown,
): TypeError {
  const text = refusal(attempt, name, wanted, value);
  return withFields(new TypeError(text), fieldsOf(attempt));
}

/** States what was wrong, what would be valid, and what was given. */
function refusal(
  attempt: string | Attempt,
  name: string,
  wanted: string,
  value: unknown,
): string {
  return cannot(attempt, `${name} must be ${wanted}: given ${shown(value)}`);
}

/** Shows a value of any type, short enough for one line. */
export function shown(value: unknown): string {
  try {
    return textOf(value);
  } catch {
    // A proxy, whose traps may throw.
    return "an object";
  }
}

function textOf(value: unknown): string {
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
        : value instanceof Promise
        ? "a promise"
        : value instanceof URL
        ? "a URL"
        : value instanceof ArrayBuffer
        ? "an ArrayBuffer"
        : ArrayBuffer.isView(value)
        ? viewOf(value)
        : "an object";
    default:
      return String(value);
  }
}

/** Names a view of bytes by its class, such as "a DataView". */
function viewOf(view: ArrayBufferView): string {
  const tag = Object.prototype.toString.call(view).slice(8, -1);
  if (!/^[A-Z][A-Za-z0-9]{3,16}$/.test(tag)) return "an object";
  return `${/^[AEIO]/.test(tag) ? "an" : "a"} ${tag}`;
}
