import { failure } from "./failures.ts";
import { received } from "./received.ts";

/** Checks a port, which may be text. @throws {RangeError} It is not one. */
export function checkPort(
  value: unknown,
  name: string,
  { zero }: { zero: boolean },
): number {
  const isNumeric = typeof value === "number" ||
    typeof value === "string" && value.trim() !== "";
  const port = isNumeric ? Number(value) : NaN;
  if (port === port >>> 0 && port <= 0xffff && (zero || port > 0)) return port;
  throw failure(
    "ERR_SOCKET_BAD_PORT",
    `${name} should be ${zero ? ">=" : ">"} 0 and < 65536.${received(value)}.`,
    RangeError,
  );
}

/** Checks text. @throws {TypeError} It is not. */
export function checkString(value: unknown, name: string): void {
  if (typeof value !== "string") throw badType(name, "of type string", value);
}

/** Checks a number. @throws {TypeError} It is not. */
export function checkNumber(value: unknown, name: string): void {
  if (typeof value !== "number") throw badType(name, "of type number", value);
}

/** Checks a function. @throws {TypeError} It is not. */
export function checkFunction(value: unknown, name: string): void {
  if (typeof value === "function") return;
  throw badType(name, "of type function", value);
}

/** Checks a signal. @throws {TypeError} It is not. */
export function checkSignal(value: unknown, name: string): void {
  const isSignal = typeof value === "object" && value !== null &&
    "aborted" in value;
  if (isSignal) return;
  throw badType(name, "an instance of AbortSignal", value);
}

/** The error for a value of the wrong type, as Node words it. */
export function badType(name: string, wanted: string, value: unknown): Error {
  return failure(
    "ERR_INVALID_ARG_TYPE",
    `The "${name}" argument must be ${wanted}.${received(value)}`,
    TypeError,
  );
}
