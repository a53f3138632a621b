import type { NetAddr } from "../../addr.ts";
import { errors } from "../../errors.ts";
/** Connects by TCP within so many milliseconds. */
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
    // A message goes when it is sent.
    conn.setNoDelay(true);
    return conn;
  } catch (error) {
    throw abort.signal.aborted ? late : error;
  } finally {
    clearTimeout(timer);
  }
}
