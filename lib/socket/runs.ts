import { type Addr, copyAddr } from "../addr.ts";
import type { Run } from "../carrier.ts";
import { Datagram } from "../datagram.ts";
import type { CopyPool } from "../copy_pool.ts";

/**
 * Splits a run into its datagrams. Those longer than `maxSize` bytes are cut to
 * it and marked. Each datagram has an address of its own, which the program may
 * change.
 *
 * @param pool Copies the bytes. Without it they are views of the run's memory.
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
      .map((piece, i) => new Datagram(piece, i === 0 ? from : copyAddr(from)));
  }
  const datagrams: Datagram<A>[] = [];
  for (let i = 0, at = 0; i < count; i++, at += segmentSize) {
    const length = Math.min(segmentSize, data.length - at);
    const view = new Uint8Array(
      data.buffer,
      data.byteOffset + at,
      Math.min(length, maxSize),
    );
    // Bytes that are cut off are not copied, so that they are not kept alive.
    const bytes = pool === undefined ? view : pool.copy(view);
    const peer = i === 0 ? from : copyAddr(from);
    datagrams.push(new Datagram(bytes, peer, truncated || length > maxSize));
  }
  return datagrams;
}

/**
 * Whether what a carrier's `receive` returned is a datagram. A carrier may be
 * the program's, so what it returns is checked before it is used.
 */
export function isArrival(
  arrival: unknown,
): arrival is [Uint8Array<ArrayBuffer>, Addr] {
  return Array.isArray(arrival) && arrival[0] instanceof Uint8Array &&
    isSender(arrival[1]);
}

/** Whether an element of what a carrier's `receiveBatch` returned is a run. */
export function isRun(run: Run): boolean {
  if (typeof run !== "object" || run === null) return false;
  const { data, segmentSize, count, from } = run;
  if (!(data instanceof Uint8Array) || !isSender(from)) return false;
  if (!Number.isInteger(segmentSize) || segmentSize < 0) return false;
  const pieces = segmentSize === 0 ? 1 : Math.ceil(data.length / segmentSize);
  return count === Math.max(1, pieces) &&
    (segmentSize > 0 || data.length === 0);
}

function isSender(from: unknown): boolean {
  return typeof from === "object" && from !== null &&
    (!("hostname" in from) || typeof from.hostname === "string");
}
