import type { DialOptions } from "../../carrier.ts";
import { errors } from "../../errors.ts";
import { DialLimits } from "../dial_limits.ts";

/**
 * Completes a client's handshake, or closes the connection.
 *
 * @param ms The time limit in milliseconds, or `Infinity`.
 * @throws {Deno.errors.TimedOut} The limit has passed.
 * @throws `signal.reason`, if the signal aborts first.
 */
export async function shakeHands(
  conn: Deno.TlsConn,
  ms: number,
  { signal }: DialOptions = {},
): Promise<void> {
  const late = new errors.TimedOut(`no TLS handshake within ${ms} ms`);
  using limits = new DialLimits(ms, late, signal, () => conn.close());
  try {
    await conn.handshake();
  } catch (error) {
    if (limits.isOver) throw limits.why;
    conn.close();
    throw error;
  }
}
