import type { Addr } from "../addr.ts";
import { copyDatagram, type Datagram } from "../datagram.ts";
import type { IdOf, Waiter } from "./waiter.ts";

/**
 * Waiters for the same peer, or for any. Those with an id are found by it:
 * however many wait, the id of a datagram is read once.
 */
export class ClaimGroup<A extends Addr> {
  readonly #plain = new Set<Waiter<A>>();
  readonly #byId = new Map<IdOf<A>, Map<unknown, Set<Waiter<A>>>>();

  get isEmpty(): boolean {
    return this.#plain.size === 0 && this.#byId.size === 0;
  }

  add(waiter: Waiter<A>): void {
    const { idOf, id } = waiter;
    if (idOf === undefined) return void this.#plain.add(waiter);
    let ids = this.#byId.get(idOf);
    if (ids === undefined) this.#byId.set(idOf, ids = new Map());
    const waiters = ids.get(id);
    if (waiters === undefined) ids.set(id, new Set([waiter]));
    else waiters.add(waiter);
  }

  delete(waiter: Waiter<A>): void {
    const { idOf, id } = waiter;
    if (idOf === undefined) return void this.#plain.delete(waiter);
    const ids = this.#byId.get(idOf);
    const waiters = ids?.get(id);
    waiters?.delete(waiter);
    if (waiters?.size === 0) ids?.delete(id);
    if (ids?.size === 0) this.#byId.delete(idOf);
  }

  /** Returns the first waiter of those that may take a datagram which does. */
  find(
    datagram: Datagram<A>,
    firstOf: (waiters: Set<Waiter<A>>) => Waiter<A> | undefined,
  ): Waiter<A> | undefined {
    for (const [idOf, ids] of this.#byId) {
      const waiters = ids.get(read(idOf, datagram));
      const found = waiters && firstOf(waiters);
      if (found !== undefined) return found;
    }
    return firstOf(this.#plain);
  }
}

/** Reads the id of a datagram. One that cannot be read is that of no request. */
function read<A extends Addr>(idOf: IdOf<A>, datagram: Datagram<A>): unknown {
  try {
    return idOf(copyDatagram(datagram));
  } catch {
    return undefined;
  }
}
