import type { Addr } from "../addr.ts";
import type { Carrier, Run } from "../carrier.ts";
import { CopyPool } from "./copy_pool.ts";
import { Datagram } from "../datagram.ts";
import {
  failure,
  isClosed,
  type OperationFields,
  SocketClosedError,
  withFields,
} from "../errors.ts";
import { datagramsOf } from "./runs.ts";

// Datagrams that wait for a caller, and of a batch carrier what one batch holds
// beyond that. With the largest ones, 16 MiB.
const MAX_KEPT = 256;

/** Who waits for a datagram. */
export interface Waiter<A extends Addr> {
  resolve(datagram: Datagram<A>): void;
  reject(reason: unknown): void;
  /** Which datagrams it takes, ahead of all who take any. @default {any} */
  match?: (datagram: Datagram<A>) => boolean;
  /** Whose it is, where somebody may withdraw all of his at once. */
  readonly owner?: object;
  /**
   * Where it takes datagrams in memory that is used again: how many at the most,
   * and all but the first of them.
   */
  readonly borrow?: { readonly max: number; rest: Datagram<A>[] };
  /** Called when it waits no more: lets go of timers and listeners. */
  stop?: () => void;
}

/** What an inbox counts; see `SocketStats`. */
export interface InboxCounts {
  received: number;
  bytes: number;
  truncated: number;
  dropped: Record<string, number>;
}

/**
 * The receiving half of a socket. A carrier's `receive` cannot be cancelled, so
 * one is in flight at a time and what it brings belongs to the inbox: it goes
 * to whoever waits first, and else is kept for the next caller. It reads only
 * while somebody waits; until then the carrier's own buffer holds what comes.
 */
export class Inbox<A extends Addr> {
  readonly counts: InboxCounts = {
    received: 0,
    bytes: 0,
    truncated: 0,
    dropped: { stranger: 0, queueFull: 0, closed: 0 },
  };
  /** The local address, as text for messages. */
  readonly local: string;
  readonly #carrier: Carrier;
  readonly #maxSize: number;
  readonly #refuses: ((from: A) => string | undefined) | undefined;
  readonly #pool = new CopyPool();
  readonly #waiters: Waiter<A>[] = [];
  readonly #claims: Waiter<A>[] = [];
  #kept: (Datagram<A> | Error)[] = [];
  #buffer: Uint8Array | undefined;
  #reading = false;
  #closed = false;
  #unreferenced = false;
  #released = false;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(
    carrier: Carrier,
    local: string,
    maxSize: number,
    refuses?: (from: A) => string | undefined,
  ) {
    this.#carrier = carrier;
    this.local = local;
    this.#maxSize = maxSize;
    this.#refuses = refuses;
  }

  /** How many datagrams are here and wait for a caller. */
  get waiting(): number {
    return this.#kept.filter((kept) => kept instanceof Datagram).length;
  }

  /** The next datagram, where it is here already. */
  take(): Datagram<A> | undefined {
    if (!(this.#kept[0] instanceof Datagram)) return undefined;
    const datagram = takeFirst(this.#kept) as Datagram<A>;
    this.#count(datagram);
    return datagram;
  }

  /** So many of those that are here already, at most. */
  takeMany(max: number): Datagram<A>[] {
    let count = 0;
    for (const kept of this.#kept) {
      if (count === max || !(kept instanceof Datagram)) break;
      this.#count(kept);
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
   * Gives the waiter what is here already, or lets it wait. One with a `match`
   * takes only what comes from now on.
   *
   * @returns Whether it waits.
   */
  wait(waiter: Waiter<A>): boolean {
    if (this.#closed) {
      waiter.stop?.();
      waiter.reject(this.closedError());
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
    if (this.#released) {
      this.#released = false;
      if (!this.#unreferenced) this.#carrier.ref?.();
    }
    if (!this.#reading) this.#read();
    return true;
  }

  /** Lets the waiter wait no more. What then comes goes to the next. */
  withdraw(waiter: Waiter<A>): void {
    const list = waiter.match === undefined ? this.#waiters : this.#claims;
    const index = list.indexOf(waiter);
    if (index < 0) return;
    list.splice(index, 1);
    waiter.stop?.();
    // What nobody waits for need not keep the program running.
    if (!this.#wanted) {
      this.#released = true;
      this.#carrier.unref?.();
    }
  }

  /** The same for all of one owner's. They learn that it ended. */
  withdrawAll(owner: object): void {
    for (const waiter of this.#waiters.filter((w) => w.owner === owner)) {
      this.withdraw(waiter);
      waiter.reject(this.closedError());
    }
  }

  ref(): void {
    this.#unreferenced = false;
    if (!this.#released) this.#carrier.ref?.();
  }

  unref(): void {
    this.#unreferenced = true;
    this.#carrier.unref?.();
  }

  /** Ends every wait. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.counts.dropped.closed += this.waiting;
    this.#kept = [];
    for (const waiter of [...this.#claims, ...this.#waiters]) {
      this.withdraw(waiter);
      waiter.reject(this.closedError());
    }
  }

  /** Resolves, after `close`, when no `receive` of the carrier is in flight. */
  idle(): Promise<void> {
    if (!this.#reading) return Promise.resolve();
    this.#carrier.ref?.();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  closedError(): SocketClosedError {
    return withFields(
      new SocketClosedError(
        `Cannot receive on ${this.local}: the socket is closed`,
      ),
      this.#fields,
    );
  }

  get #fields(): OperationFields {
    return { operation: "receive", local: this.#carrier.addr };
  }

  get #wanted(): boolean {
    return this.#waiters.length > 0 || this.#claims.length > 0;
  }

  #read(): void {
    this.#reading = true;
    if (this.#carrier.receiveBatch !== undefined) return this.#readBatch();
    // One byte more than the limit shows what was cut. Windows refuses what
    // does not fit (error 10040) rather than cut it, so there all must fit.
    this.#buffer ??= new Uint8Array(
      Deno.build.os === "windows"
        ? Math.max(this.#maxSize + 1, 65_536)
        : this.#maxSize + 1,
    );
    try {
      this.#carrier.receive(this.#buffer).then(this.#arrived, this.#failed);
    } catch (error) {
      Promise.reject(error).catch(this.#failed);
    }
  }

  #readBatch(): void {
    try {
      this.#carrier.receiveBatch!().then(this.#batchArrived, this.#failed);
    } catch (error) {
      Promise.reject(error).catch(this.#failed);
    }
  }

  // The path of every datagram: no destructuring, no call that can be spared.
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
      const data = this.#borrower === undefined
        ? this.#pool.copy(whole)
        : whole as Uint8Array<ArrayBuffer>;
      this.#pass(new Datagram(data, from, truncated), MAX_KEPT);
    } else this.#drop(refused);
    if (this.#wanted) this.#read();
  };

  readonly #batchArrived = (runs: readonly Run[]): void => {
    this.#reading = false;
    const borrower = this.#borrower;
    if (borrower !== undefined) return this.#lend(runs, borrower);
    // As much again as is here may be kept: one batch, of a bounded length.
    const room = this.#kept.length < MAX_KEPT ? Infinity : MAX_KEPT;
    for (const run of runs) {
      for (const datagram of datagramsOf<A>(run, this.#maxSize, this.#pool)) {
        const refused = this.#closed
          ? "closed"
          : this.#refuses?.(datagram.from);
        if (refused !== undefined) this.#drop(refused);
        else this.#pass(datagram, room);
      }
    }
    if (this.#closed) return this.#idle?.resolve();
    if (this.#wanted) this.#read();
  };

  /** Who gets what comes in the memory in which it came: nobody else waits. */
  get #borrower(): Waiter<A> | undefined {
    const alone = this.#waiters.length === 1 && this.#claims.length === 0;
    return alone && this.#waiters[0].borrow ? this.#waiters[0] : undefined;
  }

  /** Copies only what is more than the waiter takes. */
  #lend(runs: readonly Run[], waiter: Waiter<A>): void {
    const borrow = waiter.borrow!;
    const lent: Datagram<A>[] = [];
    for (const run of runs) {
      for (const datagram of datagramsOf<A>(run, this.#maxSize)) {
        const { data, from, truncated } = datagram;
        const refused = this.#refuses?.(from);
        if (refused !== undefined) this.#drop(refused);
        else if (lent.length < borrow.max) lent.push(datagram);
        else {
          const copy = this.#pool.copy(data);
          this.#kept.push(new Datagram(copy, from, truncated));
        }
      }
    }
    const [first] = lent;
    if (first === undefined) return this.#read();
    this.#waiters.pop();
    borrow.rest = lent.slice(1);
    for (const datagram of borrow.rest) this.#count(datagram);
    this.#give(first, waiter);
  }

  /** To whoever waits first, or else to those that are kept. */
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
    const error = failure(
      `receive on ${this.local}`,
      cause,
      this.#fields,
    );
    const waiter = this.#waiters[0] ?? this.#claims[0];
    if (waiter === undefined) this.#keep(error, MAX_KEPT);
    else {
      this.withdraw(waiter);
      waiter.reject(error);
    }
    if (this.#wanted) this.#read();
  };

  #drop(reason: string): void {
    const { dropped } = this.counts;
    dropped[reason] = (dropped[reason] ?? 0) + 1;
  }

  #claimant(datagram: Datagram<A>): Waiter<A> | undefined {
    for (const claim of this.#claims.slice()) {
      try {
        if (!claim.match?.(datagram)) continue;
        // Whatever `match` did meanwhile, such as abort its own request.
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
    this.#count(datagram);
    waiter.resolve(datagram);
  }

  #count(datagram: Datagram<A>): void {
    const { counts } = this;
    counts.received++;
    counts.bytes += datagram.data.length;
    if (datagram.truncated) counts.truncated++;
  }

  #keep(arrival: Datagram<A> | Error, room: number): void {
    if (!this.#closed && this.#kept.length < room) {
      this.#kept.push(arrival);
    } else if (arrival instanceof Datagram) {
      this.#drop(this.#closed ? "closed" : "queueFull");
    }
  }
}

/**
 * As `shift` does, which moves memory even in a list of one: nearly all are, and
 * it would cost a receive 4 %.
 */
function takeFirst<T>(list: T[]): T | undefined {
  return list.length > 1 ? list.shift() : list.pop();
}
