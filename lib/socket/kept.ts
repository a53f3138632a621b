import type { Addr } from "../addr.ts";
import { Datagram } from "../datagram.ts";
import type { Received } from "./stats.ts";
import { UnreadRun } from "./unread_run.ts";

// So many that were taken may stay in the list before it is cut.
const MAX_TAKEN = 1024;

/** Datagrams that arrived: one, or a run of them. */
export type Arrived<A extends Addr> = Datagram<A> | UnreadRun<A>;

/** What arrived while nobody waited: datagrams and errors, in their order. */
export class Kept<A extends Addr> {
  readonly #counts: Received;
  // What was taken is undefined: moving the rest would cost a receive 3 %.
  #list: (Arrived<A> | Error | undefined)[] = [];
  #next = 0;
  #datagrams = 0;
  #errors = 0;

  constructor(counts: Received) {
    this.#counts = counts;
  }

  /** How many datagrams and errors there are. */
  get length(): number {
    return this.#datagrams + this.#errors;
  }

  /** How many datagrams there are. */
  get datagrams(): number {
    return this.#datagrams;
  }

  add(arrival: Arrived<A> | Error): void {
    this.#list.push(arrival);
    if (arrival instanceof Datagram) this.#datagrams++;
    else if (arrival instanceof UnreadRun) this.#datagrams += arrival.left;
    else this.#errors++;
  }

  addAll(arrivals: readonly (Arrived<A> | Error)[]): void {
    for (const arrival of arrivals) this.add(arrival);
  }

  /** Removes and returns the first. */
  shift(): Datagram<A> | Error | undefined {
    const first = this.#list[this.#next];
    if (first === undefined) return undefined;
    if (first instanceof UnreadRun) {
      this.#datagrams--;
      const datagram = first.take();
      if (first.isOver) this.#remove();
      return datagram;
    }
    if (first instanceof Datagram) this.#datagrams--;
    else this.#errors--;
    this.#remove();
    return first;
  }

  /** Removes, counts and returns the first, if it is a datagram. */
  take(): Datagram<A> | undefined {
    if (this.#errors > 0 && this.#list[this.#next] instanceof Error) {
      return undefined;
    }
    const first = this.shift() as Datagram<A> | undefined;
    if (first !== undefined) this.#counts.count(first);
    return first;
  }

  /** Does the same with up to `max` datagrams, as far as the first error. */
  takeMany(max: number): Datagram<A>[] {
    const taken: Datagram<A>[] = [];
    while (taken.length < max) {
      const first = this.#list[this.#next];
      if (first === undefined || first instanceof Error) break;
      if (first instanceof Datagram) taken.push(first);
      else first.takeInto(taken, max);
      if (first instanceof Datagram || first.isOver) this.#remove();
    }
    for (const datagram of taken) this.#counts.count(datagram);
    this.#datagrams -= taken.length;
    return taken;
  }

  /** Removes and returns everything. */
  takeAll(): (Arrived<A> | Error)[] {
    const all = this.#list.slice(this.#next) as (Arrived<A> | Error)[];
    this.clear();
    return all;
  }

  clear(): void {
    this.#list = [];
    this.#next = this.#datagrams = this.#errors = 0;
  }

  #remove(): void {
    this.#list[this.#next++] = undefined;
    const { length } = this.#list;
    if (this.#next < length && this.#next < MAX_TAKEN) return;
    this.#list = this.#next < length ? this.#list.slice(this.#next) : [];
    this.#next = 0;
  }
}
