import type { Addr } from "../addr.ts";
import type { Carrier } from "../carrier.ts";
import { requireOptions, wholeNumber } from "../check.ts";
import { type Attempt, cannot, fieldsOf, withFields } from "../errors.ts";
import { type AnswerOptions, readAnswers } from "../limits/answers.ts";
import { type GuardOptions, readGuard } from "../limits/guard.ts";

// The longest datagram of IPv6; IPv4 carries 20 bytes less.
const LARGEST_DATAGRAM = 65_527;
// The receive buffer has this length, so this bounds a socket's memory.
const LARGEST_MAX_SIZE = 64 * 1024 * 1024;

/** The options of every socket. */
export interface SocketOptions {
  /**
   * The longest data that a datagram is delivered with, in bytes, 0 to 64 MiB.
   * Longer datagrams are cut to it and marked `truncated`.
   * @default {the longest that the carrier can deliver: 65527 bytes over UDP}
   */
  maxSize?: number | undefined;
}

/** The options of a socket for many peers. */
export interface DatagramSocketOptions
  extends SocketOptions, GuardOptions, AnswerOptions {}

/** Options as they were when they were read: later changes have no effect. */
export type Read<Options> = {
  readonly [Name in keyof Required<Options>]: Options[Name] | undefined;
};

/**
 * Reads the options of a socket for one peer, once, and checks them.
 *
 * @throws {RangeError} `maxSize` is out of range.
 * @throws {TypeError} The options are not an object.
 */
export function readSocketOptions(
  attempt: Attempt,
  options: SocketOptions,
): Read<SocketOptions> {
  requireOptions(attempt, options);
  const { maxSize } = options;
  if (maxSize !== undefined) checkMaxSize(attempt, maxSize);
  return { maxSize };
}

/**
 * Reads the options of a socket for many peers, once, and checks them.
 *
 * @param local Where the socket is bound.
 * @throws {RangeError} An option is out of range.
 * @throws {InvalidAddressError} An entry of `allow` or `deny` is not a network.
 * @throws {TypeError} An option is of the wrong type, or has no use for the
 * addresses of this socket.
 */
export function readDatagramSocketOptions(
  attempt: Attempt,
  options: DatagramSocketOptions,
  local: Addr,
): Read<DatagramSocketOptions> {
  const { maxSize } = readSocketOptions(attempt, options);
  const guard = readGuard(attempt, options);
  const answers = readAnswers(attempt, options);
  for (const [name, value] of Object.entries({ ...guard, ...answers })) {
    if ("hostname" in local || value === undefined) continue;
    const text = cannot(attempt, `${name} needs IP addresses`);
    throw withFields(new TypeError(text), fieldsOf(attempt));
  }
  return { maxSize, ...guard, ...answers };
}

/** Returns the limit of a socket: the option, or what the carrier can deliver. */
export function maxSizeOf(
  attempt: Attempt,
  { maxSize }: Read<SocketOptions>,
  { maxReceive = LARGEST_DATAGRAM }: Carrier,
): number {
  return maxSize ??
    checkMaxSize(attempt, Math.min(maxReceive, LARGEST_MAX_SIZE));
}

function checkMaxSize(attempt: Attempt, maxSize: number): number {
  return wholeNumber(attempt, "maxSize", maxSize, 0, LARGEST_MAX_SIZE);
}
