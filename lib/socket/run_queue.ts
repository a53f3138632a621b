import type { Addr } from "../addr.ts";
import type { Run } from "../carrier.ts";
import { ReceivedRun } from "../run.ts";
import { CopyPool } from "../copy_pool.ts";
import { partOf } from "./runs.ts";

/** What is left of a run. */
type Rest<A extends Addr> = { -readonly [Key in keyof Run<A>]: Run<A>[Key] };

/**
 * The runs of one batch of the carrier, in its memory: what a program that
 * receives runs has not received yet.
 */
export class RunQueue<A extends Addr> {
  readonly #maxSize: number;
  readonly #pool = new CopyPool();
  #rests: Rest<A>[] = [];
  #next = 0;
  #datagrams = 0;

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** How many datagrams it holds. */
  get datagrams(): number {
    return this.#datagrams;
  }

  /** Adds runs, which are checked. */
  add(runs: readonly Run[]): void {
    for (const run of runs as readonly Run<A>[]) {
      const { data, segmentSize, truncated } = run;
      this.#rests.push({
        ...run,
        // Of a single datagram it is the length, whatever the carrier says.
        segmentSize: Math.min(segmentSize, data.length),
        truncated: truncated === true,
      });
      this.#datagrams += run.count;
    }
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
    const run: Rest<A> = isWhole ? rest : partOf(rest, 0, 1);
    if (isWhole) this.#skip();
    else this.#rests[this.#next] = partOf(rest, 1, rest.count);
    if (run.count === 1) this.#cut(run);
    if (!isLent) run.data = this.#pool.copy(run.data);
    this.#datagrams -= run.count;
    return new ReceivedRun(run);
  }

  /** Removes and returns everything, in the carrier's memory. */
  takeAll(): readonly Run<A>[] {
    const all = this.#rests.slice(this.#next);
    this.clear();
    return all;
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
