import type { Addr } from "./addr.ts";
import type { Run } from "./carrier.ts";

/**
 * A run that a socket received. Iterating over it gives a view of each datagram:
 * `for (const bytes of run)`. A loop without an object per datagram goes by
 * `count`, which is 1 for an empty datagram:
 *
 * ```ts ignore
 * for (let i = 0, at = 0; i < run.count; i++, at += run.segmentSize) {
 *   const end = Math.min(at + run.segmentSize, run.data.length);
 *   // run.data[at] to run.data[end - 1] is one datagram.
 * }
 * ```
 */
export class ReceivedRun<A extends Addr = Addr>
  implements Run<A>, Iterable<Uint8Array<ArrayBuffer>> {
  /** The bytes of all datagrams, one after another. */
  readonly data: Uint8Array<ArrayBuffer>;
  /**
   * The length of each datagram in bytes; the last one may be shorter. 0 for an
   * empty datagram, which is a run of its own.
   */
  readonly segmentSize: number;
  /** The sender of all of them, as in {@linkcode Datagram.from}. */
  readonly from: A;
  /**
   * Whether the datagram was longer than the socket's `maxSize` and was cut; only
   * ever true if `count` is 1.
   */
  readonly truncated: boolean;
  /** How many datagrams the run holds, at least 1. */
  readonly count: number;
  /** The local address that they were sent to, if the carrier tells it. */
  declare readonly to?: Addr | undefined;
  /** The two ECN bits of their IP headers, if the carrier tells them. */
  declare readonly ecn?: 0 | 1 | 2 | 3 | undefined;
  /**
   * When the system received them, in milliseconds since 1970, if the carrier
   * tells it.
   */
  declare readonly time?: number | undefined;

  /** Makes a run: for tests. Programs get theirs from a socket. */
  constructor(run: Run<A>) {
    const { data, segmentSize, from, truncated, count, to, ecn, time } = run;
    this.data = data;
    this.segmentSize = segmentSize;
    this.from = from;
    this.truncated = truncated;
    this.count = count;
    if (to !== undefined) this.to = to;
    if (ecn !== undefined) this.ecn = ecn;
    if (time !== undefined) this.time = time;
  }

  /** Iterates over the datagrams, as views of the run's memory. */
  *[Symbol.iterator](): IterableIterator<Uint8Array<ArrayBuffer>> {
    const { data, segmentSize, count } = this;
    for (let i = 0, at = 0; i < count; i++, at += segmentSize) {
      yield data.subarray(at, at + segmentSize);
    }
  }
}
