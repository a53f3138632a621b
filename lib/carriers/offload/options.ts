import { wholeNumber } from "../../check.ts";

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

/**
 * Checks the options before anything is opened.
 *
 * @throws {RangeError} A buffer size is not a whole number of bytes.
 */
export function checkOptions(options: OffloadOptions): void {
  for (const name of ["receiveBuffer", "sendBuffer"] as const) {
    const size = options[name];
    if (size === undefined) continue;
    wholeNumber("open a socket", name, size, 1, MAX_BUFFER);
  }
}
