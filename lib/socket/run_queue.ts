import { type Addr, copyAddr } from "../addr.ts";
import type { Run } from "../carrier.ts";
import type { Datagram } from "../datagram.ts";
import { ReceivedRun } from "../run.ts";
import type { CopyPool } from "./copy_pool.ts";
import { datagramsOf } from "./runs.ts";

/** What is left of a run. */
type Rest<A extends Addr> = { -readonly [Key in keyof Run<A>]: Run<A>[Key] };

/**
 * The runs of one batch of the carrier, in its memory: what a program that
 * receives runs has not received yet.
 */
export class RunQueue<A extends Addr> {
  readonly #maxSize: number;
  readonly #pool: CopyPool;
  #rests: Rest<A>[] = [];
  #next = 0;
  #datagrams = 0;

  /** @param pool Copies what leaves the carrier's memory. */
  constructor(maxSize: number, pool: CopyPool) {
    this.#maxSize = maxSize;
    this.#pool = pool;
  }

  /** How many datagrams it holds. */
  get datagrams(): number {
    return this.#datagrams;
  }

  /** Adds `count` datagrams of a checked run, from that one on. */
  add(run: Run<A>, first = 0, count: number = run.count): void {
    const at = first * run.segmentSize;
    const data = run.data.subarray(at, at + count * run.segmentSize);
    // Of a single datagram it is the length, whatever the carrier says.
    const segmentSize = Math.min(run.segmentSize, data.length);
    const truncated = run.truncated === true;
    const rest = { ...run, data, segmentSize, truncated, count };
    this.#rests.push(first === 0 ? rest : withOwnAddresses(rest));
    this.#datagrams += count;
  }

  /**
   * Removes and returns the next run. Its datagrams are at most `maxSize` long: a
   * run of longer ones is given as runs of one.
   *
   * @param isLent Whether it stays in the carrier's memory.
   */
  take(isLent: boolean): ReceivedRun<A> | undefined {
    const rest = this.#rests[this.#next];
    if (rest === undefined) return undefined;
    const { segmentSize, truncated } = rest;
    const isWhole = rest.count === 1 ||
      !truncated && segmentSize <= this.#maxSize;
    const run = isWhole ? rest : { ...withOwnAddresses(rest), count: 1 };
    if (isWhole) this.#skip();
    else {
      rest.data = rest.data.subarray(segmentSize);
      rest.count--;
    }
    if (run.count === 1) this.#cut(run);
    if (!isLent) run.data = this.#pool.copy(run.data);
    this.#datagrams -= run.count;
    return new ReceivedRun(run);
  }

  /** Removes all and returns them as datagrams, in memory of their own. */
  unfold(): Datagram<A>[] {
    const rests = this.#rests.slice(this.#next);
    this.clear();
    return rests.flatMap((run) =>
      datagramsOf<A>(run, this.#maxSize, this.#pool)
    );
  }

  clear(): void {
    this.#rests = [];
    this.#next = 0;
    this.#datagrams = 0;
  }

  #skip(): void {
    if (++this.#next < this.#rests.length) return;
    this.#rests = [];
    this.#next = 0;
  }

  /** Cuts a run to its first datagram, and that to `maxSize`. */
  #cut(run: Rest<A>): void {
    const length = Math.min(run.segmentSize, run.data.length);
    const size = Math.min(length, this.#maxSize);
    run.data = run.data.subarray(0, size);
    run.segmentSize = size;
    run.truncated = run.truncated || length > size;
  }
}

/** Returns the same with addresses that belong to no other run. */
function withOwnAddresses<A extends Addr>(run: Rest<A>): Rest<A> {
  const { from, to } = run;
  return {
    ...run,
    from: copyAddr(from),
    ...(to !== undefined && { to: copyAddr(to) }),
  };
}
