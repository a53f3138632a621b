import { checkFunction, checkNumber, checkSignal } from "./checks.ts";
import { failure } from "./failures.ts";
import type { SocketOptions, SocketType } from "./types.ts";

/**
 * Reads how a socket is made: the options, or only the family.
 *
 * @returns A copy.
 * @throws As Node does.
 */
export function readOptions(given: SocketType | SocketOptions): SocketOptions {
  const options: Partial<SocketOptions> =
    typeof given === "object" && given !== null
      ? { ...given }
      : { type: given };
  const { type, lookup, recvBufferSize, sendBufferSize, signal } = options;
  if (type !== "udp4" && type !== "udp6") {
    throw failure(
      "ERR_SOCKET_BAD_TYPE",
      "Bad socket type specified. Valid types are: udp4, udp6",
      TypeError,
    );
  }
  if (lookup !== undefined) checkFunction(lookup, "lookup");
  if (recvBufferSize) checkNumber(recvBufferSize, "options.recvBufferSize");
  if (sendBufferSize) checkNumber(sendBufferSize, "options.sendBufferSize");
  if (signal !== undefined) checkSignal(signal, "options.signal");
  return { ...options, type };
}
