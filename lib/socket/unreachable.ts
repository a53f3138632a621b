import { errors } from "../errors.ts";
import { reasonOf } from "../warnings.ts";

// As carriers over `node:dgram` have them.
const CODES: readonly unknown[] = ["ECONNREFUSED", "ECONNRESET"];
// WSAENETRESET: Deno has no class for it.
const NET_RESET = "(os error 10052)";

/**
 * Whether an error of `receive` concerns an earlier send: Windows reports so that
 * nothing receives at a peer's port (WSAECONNRESET), or that the peer is too far
 * away (WSAENETRESET). A socket for many peers must not stop because one of them
 * is gone.
 */
export function isFromEarlierSend(cause: unknown): boolean {
  try {
    return cause instanceof errors.ConnectionReset ||
      cause instanceof errors.ConnectionRefused ||
      cause instanceof Error && "code" in cause && CODES.includes(cause.code) ||
      reasonOf(cause).includes(NET_RESET);
  } catch {
    // A proxy or a getter that throws.
    return false;
  }
}
