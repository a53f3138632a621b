import type { Addr } from "../addr.ts";
import { Datagram } from "../datagram.ts";
import { quickTurnIsDue, turn } from "../turns.ts";
import type { Held } from "./held.ts";
import { type Arrived, Kept } from "./kept.ts";
import type { Rests } from "./rests.ts";
import type { Received } from "./stats.ts";
import type { Batch, Waiter } from "./waiter.ts";
import type { Waiters } from "./waiters.ts";

// How many datagrams are kept for later calls; a batch carrier may add one batch
// to that. With the longest datagrams, 256 are 16 MiB.
const MAX_KEPT = 256;

/** What {@linkcode Delivery} needs of its inbox. */
export interface DeliveryOptions<A extends Addr> {
  readonly counts: Received;
  readonly rests: Rests;
  readonly waiters: Waiters<A>;
  readonly held: Held<A>;
}

/**
 * Gives what arrives to the waiters of an inbox, or keeps it for later calls, and
 * counts it once.
 */
export class Delivery<A extends Addr> {
  readonly #counts: Received;
  readonly #rests: Rests;
  readonly #waiters: Waiters<A>;
  readonly #held: Held<A>;
  // What is left of a batch that is shown to waiters with a `match`.
  readonly #batch: Kept<A>;
  /** How many datagrams waiters have set aside. */
  aside = 0;
  #isClosed = false;

  constructor({ counts, rests, waiters, held }: DeliveryOptions<A>) {
    this.#counts = counts;
    this.#rests = rests;
    this.#waiters = waiters;
    this.#held = held;
    this.#batch = new Kept(counts);
  }

  /** How many datagrams have arrived and wait to be received. */
  get waiting(): number {
    return this.#held.datagrams + this.#batch.datagrams + this.aside;
  }

  /** Whether waiters with a `match` have not seen all of a batch. */
  get isPassing(): boolean {
    return this.#batch.length > 0;
  }

  /** Gives what has arrived to the waiters. */
  hand(): void {
    while (this.#held.length > 0) {
      const waiter = this.#waiters.take();
      if (waiter === undefined) return;
      this.giveNext(waiter);
    }
  }

  /** Gives the waiter the next of what has arrived. */
  giveNext(waiter: Waiter<A>): void {
    const run = waiter.resolveRun && this.#held.takeRun(waiter.borrower);
    if (run === undefined) return this.#giveKept(waiter);
    waiter.stop?.();
    waiter.resolveRun?.(run);
  }

  /** Gives a datagram to the first waiter, or keeps it. */
  pass(datagram: Datagram<A>, room: number = MAX_KEPT): void {
    const claim = this.#waiters.claim(datagram);
    if (claim?.setAside !== undefined) {
      this.aside++;
      return claim.setAside(datagram);
    }
    const waiter = claim ??
      (this.#rests.isResting ? undefined : this.#waiters.take());
    if (waiter === undefined) this.keep(datagram, room);
    else this.#give(datagram, waiter);
  }

  /**
   * Shows each datagram of a batch to the waiters with a `match`. What is left
   * when there are none goes to the other waiters, or is kept, all at once.
   *
   * @param done Called at the end, maybe after turns of the event loop.
   */
  passAll(arrived: readonly Arrived<A>[], done: () => void): void {
    // At most one batch, whose length is bounded, is kept beyond the limit.
    const room = this.#held.length < MAX_KEPT ? Infinity : MAX_KEPT;
    if (!this.#waiters.hasClaims) return this.#keepAll(arrived, room, done);
    this.#batch.addAll(arrived);
    this.#passRest(room, done);
  }

  /** Gives a batch to the waiter that takes all of it. */
  handOver(
    arrived: readonly Arrived<A>[],
    waiter: Waiter<A>,
    { max, resolve }: Batch<A>,
  ): void {
    this.#batch.addAll(arrived);
    const taken = this.#batch.takeMany(max);
    this.#waiters.take();
    waiter.stop?.();
    resolve(taken);
  }

  /** Keeps it if there is room. What arrives during a turn is one batch at most. */
  keep(arrival: Datagram<A> | Error, room: number = MAX_KEPT): void {
    if (
      !this.#isClosed && (this.#rests.isResting || this.#held.length < room)
    ) {
      this.#held.add(arrival);
    } else if (arrival instanceof Datagram) {
      this.#counts.drop(this.#isClosed ? "closed" : "queueFull");
    }
  }

  /** Drops everything, now and from now on. */
  close(): void {
    this.#isClosed = true;
    this.#counts.drop("closed", this.waiting);
    this.aside = 0;
    this.#held.clear();
    this.#batch.clear();
  }

  /** Gives datagrams that were set aside to the other waiters, or keeps them. */
  putBack(datagrams: readonly Datagram<A>[]): void {
    if (this.#isClosed) return;
    this.aside -= datagrams.length;
    for (const datagram of datagrams) this.keep(datagram);
    if (!this.#rests.isResting) this.hand();
  }

  #passRest(room: number, done: () => void): void {
    const batch = this.#batch;
    while (batch.length > 0 && this.#waiters.hasClaims) {
      this.pass(batch.shift() as Datagram<A>, room);
      if (quickTurnIsDue()) {
        return turn(() => {
          this.#rests.count++;
          this.#passRest(room, done);
        });
      }
    }
    this.#keepAll(batch.takeAll(), room, done);
  }

  /** Gives all to the waiters, or keeps it if there is room. */
  #keepAll(
    arrived: readonly (Arrived<A> | Error)[],
    room: number,
    done: () => void,
  ): void {
    if (this.#rests.isResting || this.#held.length < room) {
      this.#held.addAll(arrived);
    } else {
      this.#batch.addAll(arrived);
      this.#counts.drop("queueFull", this.#batch.datagrams);
      this.#batch.clear();
    }
    if (!this.#rests.isResting) this.hand();
    done();
  }

  #give(datagram: Datagram<A>, waiter: Waiter<A>): void {
    waiter.stop?.();
    this.#counts.count(datagram);
    waiter.resolve(datagram);
  }

  #giveKept(waiter: Waiter<A>): void {
    const kept = this.#held.shift();
    if (kept instanceof Datagram) this.#give(kept, waiter);
    else {
      waiter.stop?.();
      waiter.reject(kept);
    }
  }
}
