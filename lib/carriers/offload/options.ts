import { requireOptions, wholeNumber, wrongType } from "../../check.ts";

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
}

const ACTION = "open a socket";

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
  if (typeof reusePort !== "boolean") {
    throw wrongType(ACTION, "reusePort", "true or false", reusePort);
  }
  const size = (name: string, bytes: number | undefined) =>
    bytes === undefined
      ? undefined
      : wholeNumber(ACTION, name, bytes, 1, MAX_BUFFER);
  return {
    reusePort,
    receiveBuffer: size("receiveBuffer", receiveBuffer),
    sendBuffer: size("sendBuffer", sendBuffer),
  };
}
