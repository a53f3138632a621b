import type { NetAddr } from "../addr.ts";
import { formatAddress, toAddress } from "../address/address.ts";
import {
  outOfRange,
  requireFunction,
  requireOptions,
  requireSignal,
  wholeNumber,
  wrongType,
} from "../check.ts";
import { InvalidAddressError } from "../errors.ts";
import { bind } from "../open.ts";
import { MAX_QUESTION } from "./reflector/refusals.ts";
import { SocketReflector } from "./reflector/socket_reflector.ts";
import type { ReflectOptions, Reflector } from "./reflector/types.ts";

export { MAX_QUESTION } from "./reflector/refusals.ts";
export type { Refusals } from "./reflector/refusals.ts";
export type {
  ReflectOptions,
  Reflector,
  ReflectorStats,
} from "./reflector/types.ts";

/** Where a reflector listens by default. */
export const REFLECTOR_ADDRESS = "udp://127.0.0.1:62862";
/** How many answers a session gets per second by default. */
export const MAX_RATE = 1000;

/**
 * Answers the questions of STAMP senders (RFC 8762, without authentication), until
 * it is shut down. It numbers its answers per session: those of one peer and one
 * session identifier (RFC 8972). It never sends more bytes than it got, and never
 * answers an answer.
 *
 * @param address The local address, as in `bind`, but not `unix:`.
 * @param options `{ allow, deny, allowPorts, maxRate }`, the carrier, and the
 * callbacks.
 * @returns The reflector, which listens already.
 * @throws The errors of `bind`.
 * @throws {RangeError} An option is out of range, or `maxRate` is above 1,000
 * without `allow`.
 * @throws {TypeError} An option is of the wrong type.
 *
 * @example
 * ```ts
 * import { reflect } from "@pli/datagram/measure";
 *
 * await using reflector = reflect("udp://127.0.0.1:0", {
 *   onListen: ({ port }) => console.log(`on port ${port}`),
 * });
 * console.log(reflector.stats.answered); // 0
 * ```
 */
export function reflect(
  address: string | NetAddr = REFLECTOR_ADDRESS,
  options: ReflectOptions = {},
): Reflector {
  requireOptions("reflect", options);
  const { allow, deny, carrier, family, reuseAddress } = options;
  const { allowPorts = [], onListen, onError, signal } = options;
  const { maxRate = allow === undefined ? MAX_RATE : Infinity } = options;
  for (const [name, value] of Object.entries({ onListen, onError })) {
    if (value !== undefined) requireFunction("reflect", name, value);
  }
  requireSignal("reflect", signal);
  if (typeof maxRate !== "number" || !(maxRate > 0)) {
    throw outOfRange("reflect", "maxRate", "more than 0", maxRate);
  }
  if (maxRate > MAX_RATE && allow === undefined) {
    const wanted = `at most ${MAX_RATE} per second without \`allow\``;
    throw outOfRange("reflect", "maxRate", wanted, maxRate);
  }
  if (!Array.isArray(allowPorts)) {
    throw wrongType("reflect", "allowPorts", "an array of ports", allowPorts);
  }
  for (const port of allowPorts) {
    wholeNumber("reflect", "a port of allowPorts", port, 1, 65_535);
  }
  const local = toAddress(address, { operation: "reflect" });
  if ("path" in local) {
    const wanted = "a unix: socket cannot answer; use HOST:PORT";
    throw new InvalidAddressError(formatAddress(local), wanted);
  }
  const socket = bind(local, {
    allow,
    deny,
    carrier,
    family,
    reuseAddress,
    maxSize: MAX_QUESTION,
  });
  return new SocketReflector(socket, {
    allowPorts: [...allowPorts],
    maxRate,
    onListen,
    onError,
    signal,
  });
}
