import { errors } from "../../errors.ts";

/**
 * Completes a client's handshake, or closes the connection.
 *
 * @param ms The time limit in milliseconds, or `Infinity`.
 * @throws {Deno.errors.TimedOut} The limit has passed.
 */
export async function shakeHands(
  conn: Deno.TlsConn,
  ms: number,
): Promise<void> {
  let late: Error | undefined;
  const timer = ms === Infinity ? undefined : setTimeout(() => {
    late = new errors.TimedOut(`no TLS handshake within ${ms} ms`);
    conn.close();
  }, ms);
  try {
    await conn.handshake();
  } catch (error) {
    if (late !== undefined) throw late;
    conn.close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
