import type { Addr } from "../addr.ts";
import { Datagram } from "../datagram.ts";
import type { Received } from "./stats.ts";
import { takeFirst } from "./waiters.ts";

/** What arrived while nobody waited: datagrams and errors, in their order. */
export class Kept<A extends Addr> {
  readonly #counts: Received;
  #list: (Datagram<A> | Error)[] = [];

  constructor(counts: Received) {
    this.#counts = counts;
  }

  get length(): number {
    return this.#list.length;
  }

  /** How many of them are datagrams. */
  get datagrams(): number {
    return this.#list.filter((kept) => kept instanceof Datagram).length;
  }

  add(arrival: Datagram<A> | Error): void {
    this.#list.push(arrival);
  }

  /** Removes and returns the first. */
  shift(): Datagram<A> | Error | undefined {
    return takeFirst(this.#list);
  }

  /** Removes, counts and returns the first, if it is a datagram. */
  take(): Datagram<A> | undefined {
    const [first] = this.#list;
    if (!(first instanceof Datagram)) return undefined;
    takeFirst(this.#list);
    this.#counts.count(first);
    return first;
  }

  /** Does the same with up to `max` datagrams, as far as the first error. */
  takeMany(max: number): Datagram<A>[] {
    let count = 0;
    for (const kept of this.#list) {
      if (count === max || !(kept instanceof Datagram)) break;
      this.#counts.count(kept);
      count++;
    }
    if (count < this.#list.length) {
      return this.#list.splice(0, count) as Datagram<A>[];
    }
    const all = this.#list as Datagram<A>[];
    this.#list = [];
    return all;
  }

  clear(): void {
    this.#list = [];
  }
}
