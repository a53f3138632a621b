import type { Addr } from "../addr.ts";
import type { Run } from "../carrier.ts";
import { Datagram } from "../datagram.ts";
import type { CopyPool } from "./copy_pool.ts";

/**
 * Splits a run into its datagrams, each cut to `maxSize` bytes and then marked.
 *
 * @param pool Copies them; without it they are views of the run's own memory.
 */
export function datagramsOf<A extends Addr>(
  run: Run,
  maxSize: number,
  pool?: CopyPool,
): Datagram<A>[] {
  const { data, segmentSize, count, truncated } = run;
  const from = run.from as A;
  if (pool !== undefined && !truncated && segmentSize <= maxSize) {
    return pool.copyRun(data, segmentSize)
      .map((piece) => new Datagram(piece, from));
  }
  const datagrams: Datagram<A>[] = [];
  for (let i = 0, at = 0; i < count; i++, at += segmentSize) {
    const length = Math.min(segmentSize, data.length - at);
    const view = new Uint8Array(
      data.buffer,
      data.byteOffset + at,
      Math.min(length, maxSize),
    );
    // What is cut off is not copied, so that it is not kept alive.
    const bytes = pool === undefined ? view : pool.copy(view);
    datagrams.push(new Datagram(bytes, from, truncated || length > maxSize));
  }
  return datagrams;
}
