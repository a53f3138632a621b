import type { Run } from "../carrier.ts";
import type { CopyPool } from "./copy_pool.ts";
import { Datagram } from "../datagram.ts";

/**
 * The datagrams of a run, each cut to `maxSize` bytes and then marked.
 *
 * @param pool What copies them; without it they lie in the run's own memory.
 */
export function datagramsOf<A extends Deno.Addr>(
  run: Run,
  maxSize: number,
  pool?: CopyPool,
): Datagram<A>[] {
  const { data, size } = run;
  const from = run.from as A;
  if (pool !== undefined && size <= maxSize) {
    return pool.copyRun(data, size).map((piece) => new Datagram(piece, from));
  }
  const datagrams: Datagram<A>[] = [];
  // Where all are empty there is one.
  for (let at = 0; at === 0 || at < data.length; at += Math.max(1, size)) {
    const length = Math.min(size, data.length - at);
    const view = new Uint8Array(
      data.buffer,
      data.byteOffset + at,
      Math.min(length, maxSize),
    );
    // What is cut off is not copied, so that it is not kept alive.
    const bytes = pool === undefined ? view : pool.copy(view);
    datagrams.push(new Datagram(bytes, from, length > maxSize));
  }
  return datagrams;
}
