import type { DialOptions } from "../../carrier.ts";
import type { NetAddr } from "../../addr.ts";
import { errors } from "../../errors.ts";
import { clearTimeout, setTimeout } from "../../platform.ts";
import { requireDeno } from "../../runtime.ts";
import { sendAtOnce } from "./no_delay.ts";

/**
 * Connects by TCP.
 *
 * @param ms The time limit in milliseconds, or `Infinity`.
 * @throws {Deno.errors.TimedOut} The limit has passed.
 * @throws `signal.reason`, if the signal aborts first.
 */
export async function connectWithin(
  ms: number,
  { hostname, port }: NetAddr,
  { signal }: DialOptions = {},
): Promise<Deno.TcpConn> {
  requireDeno("TCP");
  signal?.throwIfAborted();
  const abort = new AbortController();
  const late = new errors.TimedOut(`not connected within ${ms} ms`);
  const timer = ms === Infinity
    ? undefined
    : setTimeout(() => abort.abort(late), ms);
  const giveUp = () => abort.abort(signal?.reason);
  signal?.addEventListener("abort", giveUp);
  try {
    const conn = await Deno.connect({ hostname, port, signal: abort.signal });
    sendAtOnce(conn);
    return conn;
  } catch (error) {
    throw abort.signal.aborted ? abort.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}
