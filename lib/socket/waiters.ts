import type { Addr } from "../addr.ts";
import type { Datagram } from "../datagram.ts";
import { Claims } from "./claims.ts";
import type { Liveness } from "./liveness.ts";
import type { Waiter } from "./waiter.ts";

/** The waiters of an inbox, in the order of their calls. */
export class Waiters<A extends Addr> {
  readonly #any: Waiter<A>[] = [];
  // Those with a `match`.
  readonly #claims = new Claims<A>();
  readonly #liveness: Liveness;

  /** @param liveness Told when the first waiter comes and when the last gives up. */
  constructor(liveness: Liveness) {
    this.#liveness = liveness;
  }

  get isEmpty(): boolean {
    return this.#any.length === 0 && this.#claims.size === 0;
  }

  get hasClaims(): boolean {
    return this.#claims.size > 0;
  }

  /** The waiter that takes any datagram, if no other waits. */
  get only(): Waiter<A> | undefined {
    const isAlone = this.#any.length === 1 && this.#claims.size === 0;
    return isAlone ? this.#any[0] : undefined;
  }

  /** The waiter that gets an error. */
  get first(): Waiter<A> | undefined {
    return this.#any[0] ?? this.#claims.first;
  }

  add(waiter: Waiter<A>): void {
    if (waiter.match === undefined) this.#any.push(waiter);
    else this.#claims.add(waiter);
    this.#liveness.want();
  }

  /**
   * Removes a waiter; the next datagram goes to the next one.
   *
   * @returns Whether it waited.
   */
  withdraw(waiter: Waiter<A>): boolean {
    if (!this.#remove(waiter)) return false;
    waiter.stop?.();
    if (this.isEmpty) this.#liveness.unwant();
    return true;
  }

  /** Removes and ends all waiters, or those of an owner. */
  endAll(owner?: object): void {
    for (const waiter of [...this.#claims.all, ...this.#any]) {
      if (owner !== undefined && waiter.owner !== owner) continue;
      this.withdraw(waiter);
      waiter.end();
    }
  }

  #remove(waiter: Waiter<A>): boolean {
    if (waiter.match !== undefined) return this.#claims.delete(waiter);
    const index = this.#any.indexOf(waiter);
    if (index >= 0) this.#any.splice(index, 1);
    return index >= 0;
  }

  /** Removes and returns the first waiter that takes any datagram. */
  take(): Waiter<A> | undefined {
    return takeFirst(this.#any);
  }

  /** Finds the waiter whose `match` takes the datagram; see {@linkcode Claims}. */
  claim(datagram: Datagram<A>): Waiter<A> | undefined {
    return this.#claims.claim(datagram);
  }
}

/**
 * Removes and returns the first element, as `shift` does. But `shift` moves
 * memory even in a list of one, as nearly all are: it would cost a receive 4 %.
 */
export function takeFirst<T>(list: T[]): T | undefined {
  return list.length > 1 ? list.shift() : list.pop();
}
