import type { Addr } from "../addr.ts";
import type { Carrier, Run } from "../carrier.ts";
import { systemClock } from "../clock.ts";
import { Datagram } from "../datagram.ts";
import { type Attempt, failure, isClosed } from "../errors.ts";
import { Arrivals } from "./arrivals.ts";
import { Held } from "./held.ts";
import { Kept } from "./kept.ts";
import { Liveness } from "./liveness.ts";
import type { Policy } from "./policy.ts";
import { Reader } from "./reader.ts";
import { Rests } from "./rests.ts";
import { areRuns, divide, isArrival, isRun } from "./runs.ts";
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
  readonly #arrivals: Arrivals<A>;
  readonly #held: Held<A>;
  // What is left of a batch that is shown to waiters with a `match`.
  readonly #batch = new Kept<A>(this.counts);
  // A batch that the program has yet to read is in memory that is used again.
  #isLent = false;
  #closed = false;

  constructor(carrier: Carrier, attempt: Attempt, policy: Policy<A>) {
    this.attempt = attempt;
    this.liveness = new Liveness(carrier);
    this.waiters = new Waiters<A>(this.liveness);
    this.#policy = policy;
    this.#arrivals = new Arrivals(policy, this.counts);
    this.#held = new Held({
      arrivals: this.#arrivals,
      counts: this.counts,
      maxSize: policy.maxSize,
      lends: carrier.leaveBatch !== undefined,
    });
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
    return this.#held.datagrams + this.#batch.datagrams;
  }

  /** Whether it waits for a turn of the event loop before it goes on. */
  get isResting(): boolean {
    return this.rests.isResting || this.#batch.length > 0;
  }

  /** Returns the next datagram, if it has arrived and no turn is due. */
  take(): Datagram<A> | undefined {
    return this.#held.length === 0 || this.rests.turns()
      ? undefined
      : this.#held.take();
  }

  /** Returns up to `max` datagrams that have arrived, if no turn is due. */
  takeMany(max: number): Datagram<A>[] {
    return this.#held.length === 0 || this.rests.turns()
      ? []
      : this.#held.takeMany(max);
  }

  /**
   * Returns the next run, if it has arrived and no turn is due.
   *
   * @param borrower Whoever may have it in the carrier's memory, until it gives
   * it back.
   */
  takeRun(borrower: object | undefined): ReceivedRun<A> | undefined {
    return this.#held.length === 0 || this.rests.turns()
      ? undefined
      : this.#held.takeRun(borrower);
  }

  /** Ends the use of memory that was lent. */
  giveBack(borrower: object): void {
    this.#held.giveBack(borrower);
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
      waiter.match === undefined && this.#held.length > 0 &&
      !this.rests.turns()
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
    while (this.#held.length > 0) {
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
    this.#held.clear();
    this.#batch.clear();
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
    this.#held.unfold();
    this.#reader.read(this.#held.forgetLoans());
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
    if (this.#closed) this.counts.drop("closed");
    else {
      const isLent = this.#batchTaker?.batch?.reuse === true;
      const from = arrival[1] as A;
      const datagram = this.#arrivals.one(arrival[0], from, isLent);
      if (datagram !== undefined) {
        if (isLent) this.#isLent = true;
        this.#pass(datagram, MAX_KEPT);
      }
    }
    this.#done();
  };

  readonly #batchArrived = (arrived: readonly Run[]): void => {
    if (!Array.isArray(arrived)) return this.#failed(nonsense());
    const runs = areRuns(arrived) ? arrived : arrived.filter(isRun);
    if (runs !== arrived) this.#fail(nonsense());
    const taker = this.#batchTaker;
    if (taker !== undefined) {
      this.#handOver(runs, taker);
      return this.#done();
    }
    if (this.waiters.only?.resolveRun !== undefined) {
      this.#held.addRuns(this.#arrivals.admitted(runs));
      if (!this.rests.isResting) this.hand();
      return this.#done();
    }
    // At most one batch, whose length is bounded, is kept beyond the limit.
    const room = this.#held.length < MAX_KEPT ? Infinity : MAX_KEPT;
    if (this.#closed) {
      for (const { count } of runs) this.counts.drop("closed", count);
    } else {
      const admitted = this.#arrivals.admitted(runs);
      this.#batch.addAll(this.#arrivals.many(admitted, false));
    }
    this.#passBatch(room);
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
    const [now, later] = divide(this.#arrivals.admitted(runs), max);
    this.#batch.addAll(this.#arrivals.many(now, reuse));
    // More than it takes is not lent.
    this.#held.addAll(this.#arrivals.many(later, false));
    const taken = this.#batch.takeMany(max);
    if (taken.length === 0) return;
    this.#isLent = reuse;
    this.waiters.take();
    waiter.stop?.();
    waiter.batch?.resolve(taken);
  }

  /**
   * Shows each datagram of the batch to the waiters with a `match`. What is left
   * when there are none goes to the other waiters, or is kept, all at once.
   */
  #passBatch(room: number): void {
    const batch = this.#batch;
    while (batch.length > 0 && this.waiters.hasClaims) {
      this.#pass(batch.shift() as Datagram<A>, room);
      if (quickTurnIsDue()) {
        return turn(() => {
          this.rests.count++;
          this.#passBatch(room);
        });
      }
    }
    if (this.rests.isResting || this.#held.length < room) {
      this.#held.addAll(batch.takeAll());
    } else {
      this.counts.drop("queueFull", batch.datagrams);
      batch.clear();
    }
    if (!this.rests.isResting) this.hand();
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

  /** Gives the waiter the next of what has arrived. */
  #giveArrived(waiter: Waiter<A>): void {
    const run = waiter.resolveRun && this.#held.takeRun(waiter.borrower);
    if (run === undefined) return this.#giveKept(waiter);
    waiter.stop?.();
    waiter.resolveRun?.(run);
  }

  #giveKept(waiter: Waiter<A>): void {
    const kept = this.#held.shift();
    if (kept instanceof Datagram) this.#give(kept, waiter);
    else {
      waiter.stop?.();
      waiter.reject(kept);
    }
  }

  /** Keeps it if there is room. What arrives during a turn is one batch at most. */
  #keep(arrival: Datagram<A> | Error, room: number): void {
    if (!this.#closed && (this.rests.isResting || this.#held.length < room)) {
      this.#held.add(arrival);
    } else if (arrival instanceof Datagram) {
      this.counts.drop(this.#closed ? "closed" : "queueFull");
    }
  }
}

function nonsense(): TypeError {
  return new TypeError("the carrier returned something that is not a datagram");
}
