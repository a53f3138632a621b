import {
  outOfRange,
  requireOptions,
  wholeNumber,
  wrongType,
} from "../../check.ts";
import { type LeavingOptions, readLeaving } from "../leaving.ts";
import type { ListenOptions } from "../../control.ts";
import { errors } from "../../errors.ts";
import { globals } from "../../runtime.ts";

const MAX_BUFFER = 2 ** 30;
const ACTION = "open a socket";

/** The options of {@linkcode dgram}. */
export interface DgramOptions extends LeavingOptions {
  /**
   * The IP family, if a name has addresses in both.
   * @default {whichever the system prefers; IPv4 to bind `localhost`}
   */
  family?: 4 | 6 | undefined;
  /**
   * Whether to bind although another socket has the address (SO_REUSEADDR).
   * @default {false}
   */
  reuseAddress?: boolean | undefined;
  /**
   * The size in bytes of the system's buffer for datagrams that were not read
   * yet. Linux allows up to net.core.rmem_max, and uses twice as much. Not on
   * Deno, whose `node:dgram` does not set it.
   * @default {the system's: net.core.rmem_default}
   */
  receiveBuffer?: number | undefined;
  /**
   * The size in bytes of the system's buffer for datagrams that the device has
   * not sent yet. Not on Deno.
   * @default {the system's: net.core.wmem_default}
   */
  sendBuffer?: number | undefined;
  /**
   * How many datagrams may wait for the program, 1 to 1,048,576. More are
   * dropped, and counted as `queueFull`.
   * @default {8192}
   */
  maxWaiting?: number | undefined;
  /**
   * How many bytes these datagrams may have together, from 65,536.
   * @default {16777216}
   */
  maxWaitingBytes?: number | undefined;
}

/** Options that are checked, and a copy. */
export interface Settings extends DgramOptions {
  readonly ipv6Only?: boolean | undefined;
  readonly reusePort?: boolean | undefined;
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
}

/**
 * Checks the options before anything is opened.
 *
 * @throws {RangeError} A number is out of range.
 * @throws {TypeError} An option is of the wrong type.
 * @throws {Deno.errors.NotSupported} A buffer size, on Deno.
 */
export function readOptions(options: DgramOptions): Settings {
  requireOptions(ACTION, options);
  const {
    family,
    reuseAddress,
    maxWaiting = 8192,
    maxWaitingBytes = 16 * 1024 * 1024,
    receiveBuffer,
    sendBuffer,
  } = options;
  const leaving = readLeaving(ACTION, options);
  if (family !== undefined && family !== 4 && family !== 6) {
    throw outOfRange(ACTION, "family", "4 or 6", family);
  }
  if (reuseAddress !== undefined && typeof reuseAddress !== "boolean") {
    throw wrongType(ACTION, "reuseAddress", "true or false", reuseAddress);
  }
  for (const [name, size] of Object.entries({ receiveBuffer, sendBuffer })) {
    if (size === undefined) continue;
    wholeNumber(ACTION, name, size, 1, MAX_BUFFER);
    requireRealBuffers(name);
  }
  wholeNumber(ACTION, "maxWaiting", maxWaiting, 1, 2 ** 20);
  wholeNumber(ACTION, "maxWaitingBytes", maxWaitingBytes, 65_536, 2 ** 32);
  return {
    ...{ family, reuseAddress, maxWaiting, maxWaitingBytes },
    ...{ receiveBuffer, sendBuffer, ...leaving },
  };
}

/** Adds what a single socket asks for, which goes before. */
export function withAsked(settings: Settings, asked: ListenOptions): Settings {
  const { reuseAddress, receiveBuffer, sendBuffer, ...others } = asked;
  for (const [name, size] of Object.entries({ receiveBuffer, sendBuffer })) {
    if (size) requireRealBuffers(name);
  }
  // Deno's node:dgram never binds such a socket, and does not say so.
  if (asked.reusePort && globals.Deno !== undefined) {
    throw new errors.NotSupported(
      "Deno's node:dgram does not bind sockets with reusePort; offload() does",
    );
  }
  return {
    ...settings,
    ...others,
    reuseAddress: reuseAddress ?? settings.reuseAddress,
    receiveBuffer: receiveBuffer || settings.receiveBuffer,
    sendBuffer: sendBuffer || settings.sendBuffer,
  };
}

/**
 * Deno only notes the size, reports twice as much, and allocates that many bytes
 * for each receive; the system's buffer stays as it is. No upstream issue is
 * known. Remove when `ss -uam` shows another `rb` after `setRecvBufferSize`.
 */
export function requireRealBuffers(name: string): void {
  if (globals.Deno === undefined) return;
  throw new errors.NotSupported(
    `Cannot ${ACTION}: Deno's node:dgram does not set the system's buffers, so ${name} would be ignored; offload({ ${name} }) sets it`,
  );
}

/**
 * Deno only notes the hops of IPv6 datagrams; they leave with the system's. No
 * upstream issue is known. Remove when tests/process/multicast.ts sees the hops
 * of dgram over IPv6 as well.
 */
export function requireRealHops({ ttl, multicastTtl }: Settings): void {
  if (globals.Deno === undefined) return;
  for (const [name, hops] of Object.entries({ ttl, multicastTtl })) {
    if (hops === undefined) continue;
    throw new errors.NotSupported(
      `Deno's node:dgram does not set the hops of IPv6, so ${name} would be ignored; offload({ ${name} }) sets it`,
    );
  }
}
