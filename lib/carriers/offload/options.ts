import type { Metadata } from "../../carrier.ts";
import {
  outOfRange,
  requireOptions,
  wholeNumber,
  wrongType,
} from "../../check.ts";

const MAX_BUFFER = 2 ** 30;

/** The options of {@linkcode offload}. */
export interface OffloadOptions {
  /**
   * Allows several sockets on one port (SO_REUSEPORT), in this program or in
   * others of the same user. The system distributes the peers among them; each
   * peer stays with one socket.
   * @default {false}
   */
  reusePort?: boolean | undefined;
  /**
   * The size in bytes of the system's buffer for datagrams that were not
   * received yet. A small datagram takes several times its own length of it.
   * @default {the system's: net.core.rmem_default}
   */
  receiveBuffer?: number | undefined;
  /**
   * The size in bytes of the system's buffer for datagrams that the device has
   * not sent yet.
   * @default {the system's: net.core.wmem_default}
   */
  sendBuffer?: number | undefined;
  /**
   * What datagrams have besides their bytes and their sender, by the names of
   * these fields: `to`, `ecn`, `time`. A socket at `0.0.0.0` or `[::]` knows `to`
   * in any case.
   * @default {[]}
   */
  metadata?: readonly (keyof Metadata)[] | undefined;
}

const ACTION = "open a socket";
const FIELDS = ["to", "ecn", "time"] as const;

/**
 * Checks the options before anything is opened.
 *
 * @returns A copy: the program may change its own object.
 * @throws {RangeError} A buffer size is not a whole number of bytes.
 * @throws {TypeError} An option is of the wrong type.
 */
export function checkOptions(options: OffloadOptions): OffloadOptions {
  requireOptions(ACTION, options);
  const { reusePort = false, receiveBuffer, sendBuffer } = options;
  const { metadata = [] } = options;
  if (typeof reusePort !== "boolean") {
    throw wrongType(ACTION, "reusePort", "true or false", reusePort);
  }
  if (!Array.isArray(metadata)) {
    throw wrongType(ACTION, "metadata", "a list of names", metadata);
  }
  for (const name of metadata) {
    if (FIELDS.includes(name)) continue;
    throw outOfRange(ACTION, "metadata", `of ${FIELDS.join(", ")}`, name);
  }
  const size = (name: string, bytes: number | undefined) =>
    bytes === undefined
      ? undefined
      : wholeNumber(ACTION, name, bytes, 1, MAX_BUFFER);
  return {
    reusePort,
    metadata: [...metadata],
    receiveBuffer: size("receiveBuffer", receiveBuffer),
    sendBuffer: size("sendBuffer", sendBuffer),
  };
}
