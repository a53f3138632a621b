import type { DialOptions } from "../../carrier.ts";
import { errors } from "../../errors.ts";

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
  let isGivenUp = false;
  let why: unknown;
  const giveUp = (reason: unknown) => {
    if (isGivenUp) return;
    isGivenUp = true;
    why = reason;
    conn.close();
  };
  const late = new errors.TimedOut(`no TLS handshake within ${ms} ms`);
  const timer = ms === Infinity ? undefined : setTimeout(giveUp, ms, late);
  const abort = () => giveUp(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    if (signal?.aborted) abort();
    await conn.handshake();
  } catch (error) {
    if (isGivenUp) throw why;
    conn.close();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
