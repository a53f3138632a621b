import type { Addr } from "../addr.ts";
import type { Carrier, Run } from "../carrier.ts";
import { systemClock } from "../clock.ts";
import { Datagram } from "../datagram.ts";
import { type Attempt, failure, isClosed } from "../errors.ts";
import { CopyPool } from "./copy_pool.ts";
import { Kept } from "./kept.ts";
import { Liveness } from "./liveness.ts";
import type { Policy } from "./policy.ts";
import { Reader } from "./reader.ts";
import { Rests } from "./rests.ts";
import { RunQueue } from "./run_queue.ts";
import { datagramsOf, isArrival, isRun, runOf } from "./runs.ts";
import { Received } from "./stats.ts";
import type { ReceivedRun } from "../run.ts";
import { quickTurnIsDue, turn } from "../turns.ts";
import type { Waiter } from "./waiter.ts";
import { Waiters } from "./waiters.ts";

// How many datagrams are kept for later calls; a batch carrier may add one batch
// to that. With the longest datagrams, 256 are 16 MiB.
const MAX_KEPT = 256;

/**
 * The receiving half of a socket. A carrier's `receive` cannot be canceled, so
 * at most one is in flight, and its result belongs to the inbox: it goes to the
 * first waiter, or is kept for the next one. The inbox reads only while there
 * are waiters; at other times the carrier's own buffer holds what arrives.
 */
export class Inbox<A extends Addr> {
  readonly counts: Received = new Received();
  /** For the messages of errors: to receive on this socket. */
  readonly attempt: Attempt;
  /** Whether a pending `receive` keeps the program running. */
  readonly liveness: Liveness;
  /** When it lets the event loop turn. */
  readonly rests: Rests;
  /** Who waits. */
  readonly waiters: Waiters<A>;
  readonly #reader: Reader;
  readonly #policy: Policy<A>;
  readonly #maxSize: number;
  readonly #pool = new CopyPool();
  readonly #kept = new Kept<A>(this.counts);
  // What came after that, for a program that receives runs.
  readonly #runs: RunQueue<A>;
  // Who has a run in the memory of the last batch.
  readonly #borrowers = new Set<object>();
  // A batch of the carrier, and how many of it were passed on.
  #batch: Datagram<A>[] = [];
  #passed = 0;
  // A batch that the program has yet to read is in memory that is used again.
  #isLent = false;
  #closed = false;

  constructor(carrier: Carrier, attempt: Attempt, policy: Policy<A>) {
    this.attempt = attempt;
    this.liveness = new Liveness(carrier);
    this.waiters = new Waiters<A>(this.liveness);
    this.#policy = policy;
    this.#maxSize = policy.maxSize;
    this.#runs = new RunQueue<A>(policy.maxSize, this.#pool);
    this.#reader = new Reader(carrier, policy.maxSize, {
      arrived: this.#arrived,
      batchArrived: this.#batchArrived,
      failed: this.#failed,
    });
    this.rests = new Rests(carrier.clock ?? systemClock, () => {
      this.hand();
      this.#next();
    });
  }

  /** How many datagrams have arrived and wait to be received. */
  get waiting(): number {
    return this.#kept.datagrams + this.#runs.datagrams +
      this.#batch.length - this.#passed;
  }

  /** Whether it waits for a turn of the event loop before it goes on. */
  get isResting(): boolean {
    return this.rests.isResting || this.#passed < this.#batch.length;
  }

  /** Returns the next datagram, if it has arrived and no turn is due. */
  take(): Datagram<A> | undefined {
    this.#unfold();
    return this.#kept.length === 0 || this.rests.turns()
      ? undefined
      : this.#kept.take();
  }

  /** Returns up to `max` datagrams that have arrived, if no turn is due. */
  takeMany(max: number): Datagram<A>[] {
    this.#unfold();
    return this.#kept.length === 0 || this.rests.turns()
      ? []
      : this.#kept.takeMany(max);
  }

  /**
   * Returns the next run, if it has arrived and no turn is due.
   *
   * @param borrower Whoever may have it in the carrier's memory, until it gives
   * it back.
   */
  takeRun(borrower: object | undefined): ReceivedRun<A> | undefined {
    if (!this.#hasArrived || this.rests.turns()) return undefined;
    if (this.#kept.length === 0) return this.#nextRun(borrower);
    const datagram = this.#kept.take();
    return datagram && runOf(datagram);
  }

  /** Ends the use of memory that was lent. */
  giveBack(borrower: object): void {
    if (this.#borrowers.size > 0) this.#borrowers.delete(borrower);
  }

  /**
   * Gives the waiter the next datagram, or makes it wait. A waiter with a `match`
   * gets only datagrams that arrive from now on.
   *
   * @returns Whether it waits.
   */
  wait(waiter: Waiter<A>): boolean {
    if (this.#closed) {
      waiter.stop?.();
      this.rests.inTurn(() => waiter.end());
      return false;
    }
    if (
      waiter.match === undefined && this.#hasArrived && !this.rests.turns()
    ) {
      this.#giveArrived(waiter);
      return false;
    }
    this.waiters.add(waiter);
    this.#next();
    return true;
  }

  /** Gives the datagrams that have arrived to the waiters, whatever is due. */
  hand(): void {
    while (this.#hasArrived) {
      const waiter = this.waiters.take();
      if (waiter === undefined) return;
      this.#giveArrived(waiter);
    }
  }

  /** Ends every wait. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.rests.close();
    this.#dropAll();
    this.waiters.endAll();
  }

  /** Resolves, after `close`, when no `receive` of the carrier is in flight. */
  idle(): Promise<void> {
    if (this.#reader.isReading) this.liveness.hold();
    return this.#reader.idle();
  }

  #dropAll(): void {
    this.counts.drop("closed", this.waiting);
    this.#kept.clear();
    this.#runs.clear();
    this.#batch = [];
    this.#passed = 0;
  }

  /** Reads on, if that is wanted and possible now. */
  #next(): void {
    const { isReading } = this.#reader;
    if (isReading || this.waiters.isEmpty || this.rests.turns()) return;
    if (this.#isLent) {
      this.#isLent = false;
      // Whoever asks for the next batch has read this one; others wait for that.
      if (!this.waiters.only?.batch?.reuse) return this.rests.rest();
    }
    this.#unfold();
    this.#reader.read(this.#borrowers.size > 0);
    this.#borrowers.clear();
  }

  #done(): void {
    this.#reader.isReading = false;
    if (this.#closed) this.#reader.end();
    else this.#next();
  }

  // Every datagram takes this path: no destructuring, no avoidable call.
  readonly #arrived = (arrival: [Uint8Array, Addr]): void => {
    if (!isArrival(arrival)) return this.#failed(nonsense());
    this.rests.reports = 0;
    const bytes = arrival[0];
    const from = arrival[1] as A;
    const refused = this.#closed ? "closed" : this.#policy.refuses?.(from);
    if (refused === undefined) {
      const truncated = bytes.length > this.#maxSize;
      const whole = truncated ? bytes.subarray(0, this.#maxSize) : bytes;
      const isLent = this.#batchTaker?.batch?.reuse === true;
      if (isLent) this.#isLent = true;
      const data = isLent
        ? whole as Uint8Array<ArrayBuffer>
        : this.#pool.copy(whole);
      this.#pass(new Datagram(data, from, truncated), MAX_KEPT);
    } else this.counts.drop(refused);
    this.#done();
  };

  readonly #batchArrived = (arrived: readonly Run[]): void => {
    if (!Array.isArray(arrived)) return this.#failed(nonsense());
    const runs = arrived.filter(isRun);
    if (runs.length < arrived.length) this.#fail(nonsense());
    const taker = this.#batchTaker;
    if (this.waiters.only?.resolveRun !== undefined) {
      for (const run of runs) this.#queue(run as Run<A>);
      if (!this.rests.isResting) this.hand();
      this.#done();
    } else if (taker === undefined) {
      // At most one batch, whose length is bounded, is kept beyond the limit.
      const room = this.#kept.length < MAX_KEPT ? Infinity : MAX_KEPT;
      this.#batch = runs.flatMap((run) =>
        datagramsOf<A>(run, this.#maxSize, this.#pool)
      );
      this.#passed = 0;
      if (this.#closed) this.#dropAll();
      this.#passBatch(room);
    } else {
      this.#handOver(runs, taker);
      this.#done();
    }
  };

  readonly #failed = (cause: unknown): void => {
    this.#fail(cause);
    this.#done();
  };

  #fail(cause: unknown): void {
    if (this.#closed) return;
    if (isClosed(cause)) return this.close();
    if (this.#policy.tolerates?.(cause)) {
      this.counts.unreachable++;
      return this.rests.report();
    }
    const error = failure(this.attempt.action, cause, this.attempt);
    const waiter = this.rests.isResting ? undefined : this.waiters.first;
    if (waiter === undefined) this.#keep(error, MAX_KEPT);
    else {
      this.waiters.withdraw(waiter);
      waiter.reject(error);
    }
  }

  /** The waiter that gets a whole batch: it takes batches, and no other waits. */
  get #batchTaker(): Waiter<A> | undefined {
    const only = this.rests.isResting ? undefined : this.waiters.only;
    return only?.batch && only;
  }

  /** Gives a batch to one waiter, and keeps what is more than it takes. */
  #handOver(runs: readonly Run[], waiter: Waiter<A>): void {
    const { max = 1, reuse = false } = waiter.batch ?? {};
    const pool = reuse ? undefined : this.#pool;
    const taken: Datagram<A>[] = [];
    for (const run of runs) {
      for (const datagram of datagramsOf<A>(run, this.#maxSize, pool)) {
        const { data, from, truncated } = datagram;
        const refused = this.#policy.refuses?.(from);
        if (refused !== undefined) this.counts.drop(refused);
        else if (taken.length < max) {
          this.counts.count(datagram);
          taken.push(datagram);
        } else {
          const copy = reuse ? this.#pool.copy(data) : data;
          this.#kept.add(new Datagram(copy, from, truncated));
        }
      }
    }
    if (taken.length === 0) return;
    this.#isLent = reuse;
    this.waiters.take();
    waiter.stop?.();
    waiter.batch?.resolve(taken);
  }

  /** Gives the datagrams of the batch to the waiters one by one. */
  #passBatch(room: number): void {
    while (this.#passed < this.#batch.length) {
      const datagram = this.#batch[this.#passed++]!;
      const refused = this.#policy.refuses?.(datagram.from);
      if (refused !== undefined) this.counts.drop(refused);
      else this.#pass(datagram, room);
      // Only a `match` takes long.
      if (this.waiters.hasClaims && quickTurnIsDue()) {
        return turn(() => {
          this.rests.count++;
          this.#passBatch(room);
        });
      }
    }
    this.#batch = [];
    this.#passed = 0;
    this.#done();
  }

  /** Gives a datagram to the first waiter, or keeps it. */
  #pass(datagram: Datagram<A>, room: number): void {
    const waiter = this.waiters.claim(datagram) ??
      (this.rests.isResting ? undefined : this.waiters.take());
    if (waiter === undefined) this.#keep(datagram, room);
    else this.#give(datagram, waiter);
  }

  #give(datagram: Datagram<A>, waiter: Waiter<A>): void {
    waiter.stop?.();
    this.counts.count(datagram);
    waiter.resolve(datagram);
  }

  /** Adds what is accepted of a run to those that wait for their receiver. */
  #queue(run: Run<A>): void {
    const { from, count } = run;
    // How many datagrams one answer is for.
    const step = this.#policy.counts ? 1 : count;
    let accepted = 0;
    for (let i = 0; i <= count; i += step) {
      const refused = i < count ? this.#policy.refuses?.(from) : undefined;
      if (i < count && refused === undefined) continue;
      if (i > accepted) this.#runs.add(run, accepted, i - accepted);
      accepted = i + step;
      if (refused !== undefined) this.counts.drop(refused, step);
    }
  }

  get #hasArrived(): boolean {
    return this.#kept.length > 0 || this.#runs.datagrams > 0;
  }

  /** Makes datagrams of the runs that wait: for whoever receives no runs. */
  #unfold(): void {
    if (this.#runs.datagrams === 0) return;
    for (const datagram of this.#runs.unfold()) this.#kept.add(datagram);
  }

  #nextRun(borrower: object | undefined): ReceivedRun<A> | undefined {
    const isLent = borrower !== undefined && this.#reader.canLeave;
    const run = this.#runs.take(isLent);
    if (run === undefined) return undefined;
    if (isLent) this.#borrowers.add(borrower);
    this.counts.countRun(run);
    return run;
  }

  /** Gives the waiter the next of what has arrived. */
  #giveArrived(waiter: Waiter<A>): void {
    if (this.#kept.length === 0 && waiter.resolveRun !== undefined) {
      const run = this.#nextRun(waiter.borrower);
      waiter.stop?.();
      if (run !== undefined) waiter.resolveRun(run);
    } else {
      this.#unfold();
      this.#giveKept(waiter);
    }
  }

  #giveKept(waiter: Waiter<A>): void {
    const kept = this.#kept.shift();
    if (kept instanceof Datagram) this.#give(kept, waiter);
    else {
      waiter.stop?.();
      waiter.reject(kept);
    }
  }

  /** Keeps it if there is room. What arrives during a turn is one batch at most. */
  #keep(arrival: Datagram<A> | Error, room: number): void {
    if (!this.#closed && (this.rests.isResting || this.#kept.length < room)) {
      this.#kept.add(arrival);
    } else if (arrival instanceof Datagram) {
      this.counts.drop(this.#closed ? "closed" : "queueFull");
    }
  }
}

function nonsense(): TypeError {
  return new TypeError("the carrier returned something that is not a datagram");
}
