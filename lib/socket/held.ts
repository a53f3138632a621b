import type { Addr } from "../addr.ts";
import type { Run } from "../carrier.ts";
import type { Datagram } from "../datagram.ts";
import type { ReceivedRun } from "../run.ts";
import type { Arrivals } from "./arrivals.ts";
import { type Arrived, Kept } from "./kept.ts";
import { RunQueue } from "./run_queue.ts";
import { runOf } from "./runs.ts";
import type { Received } from "./stats.ts";

/** What {@linkcode Held} needs of its inbox. */
export interface HeldOptions<A extends Addr> {
  readonly arrivals: Arrivals<A>;
  readonly counts: Received;
  readonly maxSize: number;
  /** Whether the carrier leaves memory that was lent. */
  readonly lends: boolean;
}

/**
 * What has arrived and waits for its receiver: datagrams and errors, and after
 * them the runs of one batch, in the carrier's memory, for a program that
 * receives runs. For any other receiver they become datagrams.
 */
export class Held<A extends Addr> {
  readonly #arrivals: Arrivals<A>;
  readonly #counts: Received;
  readonly #lends: boolean;
  readonly #kept: Kept<A>;
  readonly #runs: RunQueue<A>;
  // Who has a run in the memory of the last batch.
  readonly #borrowers = new Set<object>();

  constructor({ arrivals, counts, maxSize, lends }: HeldOptions<A>) {
    this.#arrivals = arrivals;
    this.#counts = counts;
    this.#lends = lends;
    this.#kept = new Kept(counts);
    this.#runs = new RunQueue(maxSize);
  }

  /** How many datagrams and errors there are. */
  get length(): number {
    return this.#kept.length + this.#runs.datagrams;
  }

  /** How many datagrams there are. */
  get datagrams(): number {
    return this.#kept.datagrams + this.#runs.datagrams;
  }

  add(arrival: Arrived<A> | Error): void {
    this.#kept.add(arrival);
  }

  addAll(arrivals: readonly (Arrived<A> | Error)[]): void {
    this.#kept.addAll(arrivals);
  }

  addRuns(runs: readonly Run[]): void {
    this.#runs.add(runs);
  }

  /** Removes and returns the first. */
  shift(): Datagram<A> | Error | undefined {
    this.unfold();
    return this.#kept.shift();
  }

  /** Removes, counts and returns the first, if it is a datagram. */
  take(): Datagram<A> | undefined {
    this.unfold();
    return this.#kept.take();
  }

  /** Does the same with up to `max` datagrams, as far as the first error. */
  takeMany(max: number): Datagram<A>[] {
    this.unfold();
    return this.#kept.takeMany(max);
  }

  /**
   * Removes, counts and returns the first run, or the first datagram as a run,
   * if it is no error.
   *
   * @param borrower Whoever may have it in the carrier's memory, until it gives
   * it back.
   */
  takeRun(borrower: object | undefined): ReceivedRun<A> | undefined {
    if (this.#kept.length > 0) {
      const datagram = this.#kept.take();
      return datagram && runOf(datagram);
    }
    const isLent = this.#lends && borrower !== undefined;
    const run = this.#runs.take(isLent);
    if (run === undefined) return undefined;
    if (isLent) this.#borrowers.add(borrower);
    this.#counts.countRun(run);
    return run;
  }

  /** Makes datagrams of the runs: the carrier's memory is about to change. */
  unfold(): void {
    if (this.#runs.datagrams === 0) return;
    this.#kept.addAll(this.#arrivals.many(this.#runs.takeAll(), false));
  }

  /** Ends the use of memory that was lent. */
  giveBack(borrower: object): void {
    if (this.#borrowers.size > 0) this.#borrowers.delete(borrower);
  }

  /** Forgets who has borrowed. @returns Whether anybody had. */
  forgetLoans(): boolean {
    const isLent = this.#borrowers.size > 0;
    if (isLent) this.#borrowers.clear();
    return isLent;
  }

  clear(): void {
    this.#kept.clear();
    this.#runs.clear();
  }
}
