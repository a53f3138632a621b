import { type Addr, copyAddr } from "../addr.ts";
import type { Metadata, Run } from "../carrier.ts";
import { Datagram } from "../datagram.ts";
import { aligned, CopyPool, LARGEST_POOLED } from "../copy_pool.ts";
import type { Arrived } from "./kept.ts";
import type { Policy } from "./policy.ts";
import { partOf } from "./runs.ts";
import type { Received } from "./stats.ts";
import { UnreadRun } from "./unread_run.ts";

/**
 * Makes datagrams of what a carrier received: without those that are refused,
 * which are counted, cut to `maxSize`, and copied, as the carrier's memory is
 * used again. Only what is lent or left to the program stays in that memory.
 */
export class Arrivals<A extends Addr> {
  readonly #policy: Policy<A>;
  readonly #maxSize: number;
  readonly #counts: Received;
  readonly #isLeft: boolean;
  readonly #pool = new CopyPool();

  /** @param isLeft Whether the carrier never uses that memory again. */
  constructor(policy: Policy<A>, counts: Received, isLeft: boolean) {
    this.#policy = policy;
    this.#maxSize = policy.maxSize;
    this.#counts = counts;
    this.#isLeft = isLeft;
  }

  /** Returns a datagram that arrived by itself; `undefined` if it is refused. */
  one(bytes: Uint8Array, from: A, isLent: boolean): Datagram<A> | undefined {
    const refused = this.#policy.refuses?.(from);
    if (refused !== undefined) return void this.#counts.drop(refused);
    const truncated = bytes.length > this.#maxSize;
    const whole = truncated ? bytes.subarray(0, this.#maxSize) : bytes;
    const data = isLent
      ? whole as Uint8Array<ArrayBuffer>
      : this.#pool.copy(whole);
    return new Datagram(data, from, truncated);
  }

  /** Returns what is not refused of a batch. */
  admitted(runs: readonly Run[]): readonly Run[] {
    if (this.#policy.refuses === undefined) return runs;
    const list: Run[] = [];
    for (const run of runs) this.#addAdmitted(list, run);
    return list;
  }

  /** Returns the datagrams of a batch. */
  many(runs: readonly Run[], isLent: boolean): Arrived<A>[] {
    const list: Arrived<A>[] = [];
    for (const run of runs) this.#add(list, run, isLent);
    return list;
  }

  #add(list: Arrived<A>[], run: Run, isLent: boolean): void {
    const { data, segmentSize, count, truncated } = run;
    const from = run.from as A;
    const metadata = metadataOf(run);
    if (this.#isLeft && count === 1 && data.length <= this.#maxSize) {
      list.push(new Datagram(data, from, truncated, metadata));
    } else if (count === 1 || truncated || segmentSize > this.#maxSize) {
      this.#addEach(list, run, isLent, metadata);
    } else if (isLent) {
      list.push(
        new UnreadRun(data, segmentSize, segmentSize, from, metadata),
      );
    } else if (segmentSize > LARGEST_POOLED) {
      this.#addEach(list, run, false, metadata);
    } else {
      const stride = aligned(segmentSize);
      for (let at = 0; at < data.length;) {
        const copy = this.#pool.copyPieces(data, at, segmentSize);
        const pieces = new UnreadRun(copy, segmentSize, stride, from, metadata);
        list.push(pieces);
        at += pieces.left * segmentSize;
      }
    }
  }

  #addEach(
    list: Arrived<A>[],
    run: Run,
    isLent: boolean,
    metadata: Metadata | undefined,
  ): void {
    const { data, segmentSize, count, truncated } = run;
    for (let i = 0, at = 0; i < count; i++, at += segmentSize) {
      const length = Math.min(segmentSize, data.length - at);
      // Bytes that are cut off are not copied, so that they are not kept alive.
      const view = data.subarray(at, at + Math.min(length, this.#maxSize));
      const from = (i === 0 ? run.from : copyAddr(run.from)) as A;
      const bytes = isLent ? view : this.#pool.copy(view);
      const isCut = truncated || length > this.#maxSize;
      list.push(new Datagram(bytes, from, isCut, metadata));
    }
  }

  /** Adds the parts of a run that are not refused. */
  #addAdmitted(list: Run[], run: Run): void {
    let first = 0;
    for (let i = 0; i < run.count; i++) {
      const refused = this.#policy.refuses?.(run.from as A);
      if (refused === undefined) continue;
      this.#counts.drop(refused);
      if (i > first) list.push(partOf(run, first, i));
      first = i + 1;
    }
    if (first === 0) list.push(run);
    else if (first < run.count) list.push(partOf(run, first, run.count));
  }
}

/** Without its bytes, which are not kept alive. Most runs have none. */
function metadataOf({ to, ecn, time }: Run): Metadata | undefined {
  return to === undefined && ecn === undefined && time === undefined
    ? undefined
    : { to, ecn, time };
}
