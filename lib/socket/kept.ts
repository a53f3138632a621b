import type { Addr } from "../addr.ts";
import { Datagram } from "../datagram.ts";
import type { Received } from "./stats.ts";
import { UnreadRun } from "./unread_run.ts";
import { takeFirst } from "./waiters.ts";

/** Datagrams that arrived: one, or a run of them. */
export type Arrived<A extends Addr> = Datagram<A> | UnreadRun<A>;

/** What arrived while nobody waited: datagrams and errors, in their order. */
export class Kept<A extends Addr> {
  readonly #counts: Received;
  #list: (Arrived<A> | Error)[] = [];
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
    const first = this.#list[0];
    if (first === undefined) return undefined;
    if (first instanceof Error) {
      this.#errors--;
      return takeFirst(this.#list) as Error;
    }
    this.#datagrams--;
    if (first instanceof Datagram) return takeFirst(this.#list) as Datagram<A>;
    const datagram = first.take();
    if (first.isOver) takeFirst(this.#list);
    return datagram;
  }

  /** Removes, counts and returns the first, if it is a datagram. */
  take(): Datagram<A> | undefined {
    if (this.#list[0] instanceof Error) return undefined;
    const first = this.shift() as Datagram<A> | undefined;
    if (first !== undefined) this.#counts.count(first);
    return first;
  }

  /** Does the same with up to `max` datagrams, as far as the first error. */
  takeMany(max: number): Datagram<A>[] {
    const taken: Datagram<A>[] = [];
    while (taken.length < max) {
      const first = this.#list[0];
      if (first === undefined || first instanceof Error) break;
      if (first instanceof Datagram) taken.push(first);
      else first.takeInto(taken, max);
      if (first instanceof Datagram || first.isOver) takeFirst(this.#list);
    }
    for (const datagram of taken) this.#counts.count(datagram);
    this.#datagrams -= taken.length;
    return taken;
  }

  /** Removes and returns everything. */
  takeAll(): (Arrived<A> | Error)[] {
    const all = this.#list;
    this.clear();
    return all;
  }

  clear(): void {
    this.#list = [];
    this.#datagrams = this.#errors = 0;
  }
}
