import type { Addr } from "../addr.ts";
import { anyPeerKey } from "../address/peer.ts";
import type { Datagram } from "../datagram.ts";
import type { Waiter } from "./waiter.ts";

/**
 * The waiters that take certain datagrams, in the order of their calls. Those
 * that name their peer are found by the sender of a datagram: however many wait,
 * only those of that peer are asked.
 */
export class Claims<A extends Addr> {
  // Each with the number of datagrams shown before it came.
  readonly #all = new Map<Waiter<A>, number>();
  readonly #ofAnyPeer = new Set<Waiter<A>>();
  readonly #ofPeer = new Map<string, Set<Waiter<A>>>();
  #shown = 0;

  get size(): number {
    return this.#all.size;
  }

  get first(): Waiter<A> | undefined {
    return this.#all.keys().next().value;
  }

  /** All, in the order of their calls. */
  get all(): Iterable<Waiter<A>> {
    return this.#all.keys();
  }

  add(waiter: Waiter<A>): void {
    this.#all.set(waiter, this.#shown);
    const { peer } = waiter;
    if (peer === undefined) return void this.#ofAnyPeer.add(waiter);
    const claims = this.#ofPeer.get(peer);
    if (claims === undefined) this.#ofPeer.set(peer, new Set([waiter]));
    else claims.add(waiter);
  }

  /** Removes a waiter. @returns Whether it was there. */
  delete(waiter: Waiter<A>): boolean {
    if (!this.#all.delete(waiter)) return false;
    const { peer } = waiter;
    if (peer === undefined) return this.#ofAnyPeer.delete(waiter);
    const claims = this.#ofPeer.get(peer);
    claims?.delete(waiter);
    if (claims?.size === 0) this.#ofPeer.delete(peer);
    return true;
  }

  /**
   * Finds the waiter whose `match` takes the datagram, and removes it unless it
   * stays: first among those that name its sender, then among those that name
   * none.
   */
  claim(datagram: Datagram<A>): Waiter<A> | undefined {
    if (this.#all.size === 0) return undefined;
    const shown = ++this.#shown;
    const named = this.#ofPeer.size === 0
      ? undefined
      : this.#ofPeer.get(anyPeerKey(datagram.from));
    return (named && this.#firstOf(named, datagram, shown)) ??
      this.#firstOf(this.#ofAnyPeer, datagram, shown);
  }

  /**
   * A `match` is the program's: it may add or remove any waiter. One that throws
   * ends its own wait.
   */
  #firstOf(
    waiters: Set<Waiter<A>>,
    datagram: Datagram<A>,
    shown: number,
  ): Waiter<A> | undefined {
    for (const waiter of waiters) {
      // It was added by a `match` meanwhile, so the datagram came before it.
      if (this.#all.get(waiter) === shown) break;
      try {
        if (waiter.match?.(datagram) && this.#takes(waiter)) return waiter;
      } catch (error) {
        if (!this.delete(waiter)) continue;
        waiter.stop?.();
        waiter.reject(error);
      }
    }
    return undefined;
  }

  /** Whether a waiter still waits; unless it stays, it is removed. */
  #takes(waiter: Waiter<A>): boolean {
    return waiter.setAside === undefined
      ? this.delete(waiter)
      : this.#all.has(waiter);
  }
}
