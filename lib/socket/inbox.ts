import type { Addr } from "../addr.ts";
import type { Carrier, Run } from "../carrier.ts";
import { systemClock } from "../clock.ts";
import type { Datagram } from "../datagram.ts";
import { type Attempt, failure, isClosed } from "../errors.ts";
import { Arrivals } from "./arrivals.ts";
import { Delivery } from "./delivery.ts";
import { Held } from "./held.ts";
import { Liveness } from "./liveness.ts";
import type { Policy } from "./policy.ts";
import { Reader } from "./reader.ts";
import { Rests } from "./rests.ts";
import { areRuns, divide, isArrival, isRun } from "./runs.ts";
import { Received } from "./stats.ts";
import type { ReceivedRun } from "../run.ts";
import type { Batch, Waiter } from "./waiter.ts";
import { Waiters } from "./waiters.ts";

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
  readonly #delivery: Delivery<A>;
  // A batch that the program has yet to read is in memory that is used again.
  #isLent = false;
  #closed = false;

  constructor(carrier: Carrier, attempt: Attempt, policy: Policy<A>) {
    this.attempt = attempt;
    this.liveness = new Liveness(carrier);
    this.waiters = new Waiters<A>(this.liveness);
    this.#policy = policy;
    const isLeft = carrier.leavesMemory === true;
    this.#arrivals = new Arrivals(policy, this.counts, isLeft);
    this.#held = new Held({
      arrivals: this.#arrivals,
      counts: this.counts,
      maxSize: policy.maxSize,
      lends: isLeft || carrier.leaveBatch !== undefined,
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
    const { counts, rests, waiters } = this;
    this.#delivery = new Delivery({ counts, rests, waiters, held: this.#held });
  }

  /** How many datagrams have arrived and wait to be received. */
  get waiting(): number {
    return this.#delivery.waiting;
  }

  /** Whether it waits for a turn of the event loop before it goes on. */
  get isResting(): boolean {
    return this.rests.isResting || this.#delivery.isPassing;
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
      this.#delivery.giveNext(waiter);
      return false;
    }
    this.waiters.add(waiter);
    this.#next();
    return true;
  }

  /** Gives the datagrams that have arrived to the waiters, whatever is due. */
  hand(): void {
    this.#delivery.hand();
  }

  /** To be called when a datagram that was set aside goes to the program. */
  takeAside(): void {
    this.#delivery.aside--;
  }

  /** Gives datagrams that were set aside to the other waiters, or keeps them. */
  putBack(datagrams: readonly Datagram<A>[]): void {
    this.#delivery.putBack(datagrams);
  }

  /** Whether it is closed: whatever was set aside is counted as such. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Ends every wait. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.rests.close();
    this.#delivery.close();
    this.waiters.endAll();
  }

  /** Resolves, after `close`, when no `receive` of the carrier is in flight. */
  idle(): Promise<void> {
    if (this.#reader.isReading) this.liveness.hold();
    return this.#reader.idle();
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

  readonly #done = (): void => {
    this.#reader.isReading = false;
    if (this.#closed) this.#reader.end();
    else this.#next();
  };

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
        this.#delivery.pass(datagram);
      }
    }
    this.#done();
  };

  readonly #batchArrived = (arrived: readonly Run[]): void => {
    if (!Array.isArray(arrived)) return this.#failed(nonsense());
    const runs = areRuns(arrived) ? arrived : arrived.filter(isRun);
    if (runs !== arrived) this.#fail(nonsense());
    if (this.#closed) {
      for (const { count } of runs) this.counts.drop("closed", count);
      return this.#done();
    }
    const admitted = this.#arrivals.admitted(runs);
    const taker = this.#batchTaker;
    if (taker?.batch !== undefined) {
      this.#handOver(admitted, taker, taker.batch);
      this.#done();
    } else if (this.waiters.only?.resolveRun !== undefined) {
      this.#held.addRuns(admitted);
      if (!this.rests.isResting) this.hand();
      this.#done();
    } else {
      this.#delivery.passAll(this.#arrivals.many(admitted, false), this.#done);
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
    if (waiter === undefined) this.#delivery.keep(error);
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
  #handOver(runs: readonly Run[], waiter: Waiter<A>, batch: Batch<A>): void {
    const { max, reuse } = batch;
    const [now, later] = divide(runs, max);
    // More than it takes is not lent.
    this.#held.addAll(this.#arrivals.many(later, false));
    if (now.length === 0) return;
    this.#isLent = reuse;
    const arrived = this.#arrivals.many(now, reuse);
    this.#delivery.handOver(arrived, waiter, batch);
  }
}

function nonsense(): TypeError {
  return new TypeError("the carrier returned something that is not a datagram");
}
