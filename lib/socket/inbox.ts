import type { Addr } from "../addr.ts";
import type { Carrier, Run } from "../carrier.ts";
import { type Clock, systemClock } from "../clock.ts";
import { Datagram } from "../datagram.ts";
import { type Attempt, failure, isClosed } from "../errors.ts";
import { CopyPool } from "./copy_pool.ts";
import { Liveness } from "./liveness.ts";
import { datagramsOf, isArrival, isRun } from "./runs.ts";
import { Received } from "./stats.ts";
import { quickTurnIsDue, turn } from "../turns.ts";
import type { Waiter } from "./waiter.ts";
import { takeFirst, Waiters } from "./waiters.ts";

// How many datagrams are kept for later calls; a batch carrier may add one batch
// to that. With the longest datagrams, 256 are 16 MiB.
const MAX_KEPT = 256;
// The inbox pauses after this many reports about earlier sends in a row.
const MAX_REPORTS = 64;
const PAUSE_MS = 10;

/** What a socket decides about what arrives. */
export interface Policy<A extends Addr> {
  /** The longest data that is delivered. */
  readonly maxSize: number;
  /** Returns why a datagram from there is dropped, if it is. @default {never} */
  refuses?(from: A): string | undefined;
  /** Whether an error is only counted, as `unreachable`. @default {never} */
  tolerates?(cause: unknown): boolean;
}

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
  readonly #policy: Policy<A>;
  readonly #maxSize: number;
  readonly #clock: Clock;
  readonly #pool = new CopyPool();
  readonly #waiters = new Waiters<A>();
  #kept: (Datagram<A> | Error)[] = [];
  // A batch of the carrier, and how many of it were passed on.
  #batch: Datagram<A>[] = [];
  #passed = 0;
  #buffer: Uint8Array | undefined;
  // A `receive` is in flight, or what it brought is being passed on: a `match`
  // may call anything, and the next `receive` would overwrite the memory.
  #reading = false;
  // The event loop turns, or a pause ends, before more is passed on.
  #isResting = false;
  #rests = 0;
  #reports = 0;
  #endPause: (() => void) | undefined;
  #closed = false;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(carrier: Carrier, attempt: Attempt, policy: Policy<A>) {
    this.#carrier = carrier;
    this.attempt = attempt;
    this.liveness = new Liveness(carrier);
    this.#policy = policy;
    this.#maxSize = policy.maxSize;
    this.#clock = carrier.clock ?? systemClock;
  }

  /** How many datagrams have arrived and wait to be received. */
  get waiting(): number {
    return this.#kept.filter((kept) => kept instanceof Datagram).length +
      this.#batch.length - this.#passed;
  }

  /** Whether it waits for a turn of the event loop before it goes on. */
  get isResting(): boolean {
    return this.#isResting || this.#passed < this.#batch.length;
  }

  /** How many such waits have ended. */
  get rests(): number {
    return this.#rests;
  }

  /** Returns the next datagram, if it has arrived and no turn is due. */
  take(): Datagram<A> | undefined {
    const [first] = this.#kept;
    if (!(first instanceof Datagram) || this.#turns()) return undefined;
    takeFirst(this.#kept);
    this.counts.count(first);
    return first;
  }

  /** Returns up to `max` datagrams that have arrived, if no turn is due. */
  takeMany(max: number): Datagram<A>[] {
    if (this.#kept.length === 0 || this.#turns()) return [];
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
    if (
      waiter.match === undefined && this.#kept.length > 0 && !this.#turns()
    ) {
      this.#giveKept(waiter);
      return false;
    }
    this.#waiters.add(waiter);
    this.liveness.want();
    this.#next();
    return true;
  }

  /** Removes the waiter; the next datagram goes to the next waiter. */
  withdraw(waiter: Waiter<A>): void {
    if (!this.#waiters.remove(waiter)) return;
    waiter.stop?.();
    if (this.#waiters.isEmpty) this.liveness.unwant();
  }

  /** Removes and ends all waiters of an owner. */
  withdrawAll(owner: object): void {
    for (const waiter of this.#waiters.all) {
      if (waiter.owner !== owner) continue;
      this.withdraw(waiter);
      waiter.end();
    }
  }

  /** Gives the datagrams that have arrived to the waiters, whatever is due. */
  hand(): void {
    while (this.#kept.length > 0) {
      const waiter = this.#waiters.take();
      if (waiter === undefined) return;
      this.#giveKept(waiter);
    }
  }

  /** Ends every wait. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#endPause?.();
    this.#dropAll();
    for (const waiter of this.#waiters.all) {
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

  #dropAll(): void {
    this.counts.drop("closed", this.waiting);
    this.#kept = [];
    this.#batch = [];
    this.#passed = 0;
  }

  /** Reads on, if that is wanted and possible now. */
  #next(): void {
    if (this.#reading || this.#waiters.isEmpty || this.#turns()) return;
    this.#read();
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

  #done(): void {
    this.#reading = false;
    if (this.#closed) this.#idle?.resolve();
    else this.#next();
  }

  /** Returns whether the event loop has to turn first. Starts that if it is due. */
  #turns(): boolean {
    if (this.#isResting) return true;
    if (this.#clock.isVirtual || !quickTurnIsDue()) return false;
    this.#rest(turn);
    return true;
  }

  /** Passes nothing on until the callback that `begin` gets is called. */
  #rest(begin: (end: () => void) => void): void {
    this.#isResting = true;
    begin(() => {
      this.#isResting = false;
      this.#rests++;
      this.hand();
      this.#next();
    });
  }

  // Every datagram takes this path: no destructuring, no avoidable call.
  readonly #arrived = (arrival: [Uint8Array, Addr]): void => {
    if (!isArrival(arrival)) return this.#failed(nonsense());
    this.#reports = 0;
    const bytes = arrival[0];
    const from = arrival[1] as A;
    const refused = this.#closed ? "closed" : this.#policy.refuses?.(from);
    if (refused === undefined) {
      const truncated = bytes.length > this.#maxSize;
      const whole = truncated ? bytes.subarray(0, this.#maxSize) : bytes;
      const data = this.#batchTaker?.batch?.reuse
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
    if (taker === undefined) {
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
    if (this.#policy.tolerates?.(cause)) return this.#tolerate();
    const error = failure(this.attempt.action, cause, this.attempt);
    const waiter = this.#isResting ? undefined : this.#waiters.first;
    if (waiter === undefined) this.#keep(error, MAX_KEPT);
    else {
      this.withdraw(waiter);
      waiter.reject(error);
    }
  }

  /** Counts a report about an earlier send. Many in a row make no busy loop. */
  #tolerate(): void {
    this.counts.unreachable++;
    if (++this.#reports % MAX_REPORTS !== 0) return;
    this.#rest((end) => this.#endPause = this.#clock.after(PAUSE_MS, end));
  }

  /** The waiter that gets a whole batch: it takes batches, and no other waits. */
  get #batchTaker(): Waiter<A> | undefined {
    const only = this.#isResting ? undefined : this.#waiters.only;
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
          this.#kept.push(new Datagram(copy, from, truncated));
        }
      }
    }
    if (taken.length === 0) return;
    this.#waiters.take();
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
      if (this.#waiters.hasClaims && quickTurnIsDue()) {
        return turn(() => {
          this.#rests++;
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
    const waiter = this.#waiters.claim(datagram) ??
      (this.#isResting ? undefined : this.#waiters.take());
    if (waiter === undefined) this.#keep(datagram, room);
    else this.#give(datagram, waiter);
  }

  #give(datagram: Datagram<A>, waiter: Waiter<A>): void {
    waiter.stop?.();
    this.counts.count(datagram);
    waiter.resolve(datagram);
  }

  #giveKept(waiter: Waiter<A>): void {
    const kept = takeFirst(this.#kept);
    if (kept instanceof Datagram) this.#give(kept, waiter);
    else {
      waiter.stop?.();
      waiter.reject(kept);
    }
  }

  /** Keeps it if there is room. What arrives during a turn is one batch at most. */
  #keep(arrival: Datagram<A> | Error, room: number): void {
    if (!this.#closed && (this.#isResting || this.#kept.length < room)) {
      this.#kept.push(arrival);
    } else if (arrival instanceof Datagram) {
      this.counts.drop(this.#closed ? "closed" : "queueFull");
    }
  }
}

function nonsense(): TypeError {
  return new TypeError("the carrier returned something that is not a datagram");
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
