import type { Addr } from "../addr.ts";
import type { Carrier, Run } from "../carrier.ts";
import { Datagram } from "../datagram.ts";
import { type Attempt, failure, isClosed } from "../errors.ts";
import { CopyPool } from "./copy_pool.ts";
import { Liveness } from "./liveness.ts";
import { datagramsOf } from "./runs.ts";
import { Received } from "./stats.ts";
import type { Waiter } from "./waiter.ts";

// How many datagrams are kept for later calls; a batch carrier may add one batch
// to that. With the longest datagrams, 256 are 16 MiB.
const MAX_KEPT = 256;

/** Returns the reason why a datagram from there is dropped, if it is. */
export type Refuses<A extends Addr> = (from: A) => string | undefined;

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
  readonly #carrier: Carrier;
  readonly #maxSize: number;
  readonly #refuses: Refuses<A> | undefined;
  readonly #pool = new CopyPool();
  readonly #waiters: Waiter<A>[] = [];
  readonly #claims: Waiter<A>[] = [];
  #kept: (Datagram<A> | Error)[] = [];
  #buffer: Uint8Array | undefined;
  #reading = false;
  #closed = false;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(
    carrier: Carrier,
    attempt: Attempt,
    maxSize: number,
    refuses?: Refuses<A>,
  ) {
    this.#carrier = carrier;
    this.attempt = attempt;
    this.liveness = new Liveness(carrier);
    this.#maxSize = maxSize;
    this.#refuses = refuses;
  }

  /** How many datagrams have arrived and wait to be received. */
  get waiting(): number {
    return this.#kept.filter((kept) => kept instanceof Datagram).length;
  }

  /** Returns the next datagram, if it has arrived already. */
  take(): Datagram<A> | undefined {
    if (!(this.#kept[0] instanceof Datagram)) return undefined;
    const datagram = takeFirst(this.#kept) as Datagram<A>;
    this.counts.count(datagram);
    return datagram;
  }

  /** Returns up to `max` of the datagrams that have arrived already. */
  takeMany(max: number): Datagram<A>[] {
    let count = 0;
    for (const kept of this.#kept) {
      if (count === max || !(kept instanceof Datagram)) break;
      this.counts.count(kept);
      count++;
    }
    if (count < this.#kept.length) {
      return this.#kept.splice(0, count) as Datagram<A>[];
    }
    const all = this.#kept as Datagram<A>[];
    this.#kept = [];
    return all;
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
      waiter.end();
      return false;
    }
    if (waiter.match !== undefined) this.#claims.push(waiter);
    else if (this.#kept.length > 0) {
      const kept = takeFirst(this.#kept)!;
      if (kept instanceof Datagram) this.#give(kept, waiter);
      else {
        waiter.stop?.();
        waiter.reject(kept);
      }
      return false;
    } else this.#waiters.push(waiter);
    this.liveness.want();
    if (!this.#reading) this.#read();
    return true;
  }

  /** Removes the waiter; the next datagram goes to the next waiter. */
  withdraw(waiter: Waiter<A>): void {
    const list = waiter.match === undefined ? this.#waiters : this.#claims;
    const index = list.indexOf(waiter);
    if (index < 0) return;
    list.splice(index, 1);
    waiter.stop?.();
    if (!this.#wanted) this.liveness.unwant();
  }

  /** Removes and ends all waiters of an owner. */
  withdrawAll(owner: object): void {
    for (const waiter of this.#waiters.filter((w) => w.owner === owner)) {
      this.withdraw(waiter);
      waiter.end();
    }
  }

  /** Ends every wait. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.counts.dropped.closed += this.waiting;
    this.#kept = [];
    for (const waiter of [...this.#claims, ...this.#waiters]) {
      this.withdraw(waiter);
      waiter.end();
    }
  }

  /** Resolves, after `close`, when no `receive` of the carrier is in flight. */
  idle(): Promise<void> {
    if (!this.#reading) return Promise.resolve();
    this.#carrier.ref?.();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  get #wanted(): boolean {
    return this.#waiters.length > 0 || this.#claims.length > 0;
  }

  #read(): void {
    const carrier = this.#carrier;
    this.#reading = true;
    try {
      if (carrier.receiveBatch === undefined) {
        this.#buffer ??= new Uint8Array(bufferSize(this.#maxSize));
        carrier.receive(this.#buffer).then(this.#arrived, this.#failed);
      } else carrier.receiveBatch().then(this.#batchArrived, this.#failed);
    } catch (error) {
      Promise.reject(error).catch(this.#failed);
    }
  }

  // Every datagram takes this path: no destructuring, no avoidable call.
  readonly #arrived = (arrival: [Uint8Array, Addr]): void => {
    this.#reading = false;
    if (this.#closed) {
      this.counts.dropped.closed++;
      return this.#idle?.resolve();
    }
    const bytes = arrival[0];
    const from = arrival[1] as A;
    const refused = this.#refuses?.(from);
    if (refused === undefined) {
      const truncated = bytes.length > this.#maxSize;
      const whole = truncated ? bytes.subarray(0, this.#maxSize) : bytes;
      const data = this.#batchTaker?.batch?.reuse
        ? whole as Uint8Array<ArrayBuffer>
        : this.#pool.copy(whole);
      this.#pass(new Datagram(data, from, truncated), MAX_KEPT);
    } else this.counts.drop(refused);
    if (this.#wanted) this.#read();
  };

  readonly #batchArrived = (runs: readonly Run[]): void => {
    this.#reading = false;
    const taker = this.#batchTaker;
    if (taker === undefined) this.#spread(runs);
    else this.#handOver(runs, taker);
    if (this.#closed) return this.#idle?.resolve();
    if (this.#wanted) this.#read();
  };

  /** The waiter that gets a whole batch: it takes batches, and no other waits. */
  get #batchTaker(): Waiter<A> | undefined {
    const isAlone = this.#waiters.length === 1 && this.#claims.length === 0;
    return isAlone && this.#waiters[0].batch ? this.#waiters[0] : undefined;
  }

  /** Gives a batch to one waiter, and keeps what is more than it takes. */
  #handOver(runs: readonly Run[], waiter: Waiter<A>): void {
    const { max, reuse, resolve } = waiter.batch!;
    const pool = reuse ? undefined : this.#pool;
    const taken: Datagram<A>[] = [];
    for (const run of runs) {
      for (const datagram of datagramsOf<A>(run, this.#maxSize, pool)) {
        const { data, from, truncated } = datagram;
        const refused = this.#refuses?.(from);
        if (refused !== undefined) this.counts.drop(refused);
        else if (taken.length < max) {
          this.counts.count(datagram);
          taken.push(datagram);
        } else {
          const copy = reuse ? this.#pool.copy(data) : data;
          this.#kept.push(new Datagram(copy, from, truncated));
        }
      }
    }
    if (taken.length === 0) return;
    this.#waiters.pop();
    waiter.stop?.();
    resolve(taken);
  }

  /** Gives the datagrams of a batch to the waiters one by one. */
  #spread(runs: readonly Run[]): void {
    // At most one batch, whose length is bounded, is kept beyond the limit.
    const room = this.#kept.length < MAX_KEPT ? Infinity : MAX_KEPT;
    for (const run of runs) {
      for (const datagram of datagramsOf<A>(run, this.#maxSize, this.#pool)) {
        const refused = this.#closed
          ? "closed"
          : this.#refuses?.(datagram.from);
        if (refused !== undefined) this.counts.drop(refused);
        else this.#pass(datagram, room);
      }
    }
  }

  /** Gives a datagram to the first waiter, or keeps it. */
  #pass(datagram: Datagram<A>, room: number): void {
    const waiter = this.#claims.length === 0
      ? takeFirst(this.#waiters)
      : this.#claimant(datagram) ?? takeFirst(this.#waiters);
    if (waiter === undefined) this.#keep(datagram, room);
    else this.#give(datagram, waiter);
  }

  readonly #failed = (cause: unknown): void => {
    this.#reading = false;
    if (this.#closed) return this.#idle?.resolve();
    if (isClosed(cause)) return this.close();
    const error = failure(this.attempt.action, cause, this.attempt);
    const waiter = this.#waiters[0] ?? this.#claims[0];
    if (waiter === undefined) this.#keep(error, MAX_KEPT);
    else {
      this.withdraw(waiter);
      waiter.reject(error);
    }
    if (this.#wanted) this.#read();
  };

  /** Finds the waiter whose `match` takes the datagram, and removes it. */
  #claimant(datagram: Datagram<A>): Waiter<A> | undefined {
    for (const claim of this.#claims.slice()) {
      try {
        if (!claim.match?.(datagram)) continue;
        // `match` may have done anything, such as abort its own request.
        const index = this.#claims.indexOf(claim);
        if (index < 0) continue;
        this.#claims.splice(index, 1);
        return claim;
      } catch (error) {
        this.withdraw(claim);
        claim.reject(error);
      }
    }
  }

  #give(datagram: Datagram<A>, waiter: Waiter<A>): void {
    waiter.stop?.();
    this.counts.count(datagram);
    waiter.resolve(datagram);
  }

  #keep(arrival: Datagram<A> | Error, room: number): void {
    if (!this.#closed && this.#kept.length < room) {
      this.#kept.push(arrival);
    } else if (arrival instanceof Datagram) {
      this.counts.drop(this.#closed ? "closed" : "queueFull");
    }
  }
}

/**
 * Removes and returns the first element, as `shift` does. But `shift` moves
 * memory even in a list of one, as nearly all are: it would cost a receive 4 %.
 */
function takeFirst<T>(list: T[]): T | undefined {
  return list.length > 1 ? list.shift() : list.pop();
}

/**
 * One byte more than the limit shows that a datagram was cut. Windows rejects a
 * datagram that does not fit (error 10040), so there the longest must fit.
 */
function bufferSize(maxSize: number): number {
  const { Deno: deno } = globalThis as { Deno?: { build: { os: string } } };
  return deno?.build.os === "windows"
    ? Math.max(maxSize + 1, 65_536)
    : maxSize + 1;
}
