import type { NetAddr } from "../../addr.ts";
import { errors } from "../../errors.ts";

/**
 * Connects by TCP.
 *
 * @param ms The time limit in milliseconds, or `Infinity`.
 * @throws {Deno.errors.TimedOut} The limit has passed.
 */
export async function connectWithin(
  ms: number,
  { hostname, port }: NetAddr,
): Promise<Deno.TcpConn> {
  const abort = new AbortController();
  const late = new errors.TimedOut(`not connected within ${ms} ms`);
  const timer = ms === Infinity
    ? undefined
    : setTimeout(() => abort.abort(late), ms);
  try {
    const { signal } = abort;
    const conn = await Deno.connect({ hostname, port, signal });
    // Each message leaves at once, rather than with the next one.
    conn.setNoDelay(true);
    return conn;
  } catch (error) {
    throw abort.signal.aborted ? late : error;
  } finally {
    clearTimeout(timer);
  }
}
