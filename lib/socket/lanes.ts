import type { Addr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";

/** The place of a send that waits for its turn. */
export interface Place {
  readonly peer: Addr;
  /** Set while it waits in the lane: ends that. */
  go?: (isTurn: boolean) => void;
  isWithdrawn?: boolean;
}

/**
 * The order of a socket's sends. To each peer one send is under way at a time,
 * in the order of the calls: Deno keeps no order among sends that overlap, and
 * on a fresh socket it reverses them. A batch is sent alone: after all sends
 * that were called before it, and before those that are called later.
 */
export class Lanes {
  // Usually one send is under way and none waits. If sends overlap, each peer
  // has a lane, in which the later ones wait.
  #only: Addr | undefined;
  readonly #lanes = new Map<string, Place[]>();
  // Resolves when the last batch that was called is sent.
  #gate: Promise<void> | undefined;
  // Opens the gates of all batches that are not sent yet.
  readonly #openers = new Set<() => void>();
  #onEmpty: (() => void) | undefined;
  #isClosed = false;

  /** Enters the peer's lane at once, if no send at all is under way. */
  tryEnter(peer: Addr): boolean {
    if (
      this.#only !== undefined || this.#gate !== undefined ||
      this.#lanes.size > 0
    ) return false;
    this.#only = peer;
    return true;
  }

  /**
   * Waits for its turn and enters the peer's lane.
   *
   * @returns Whether it entered: not if it was withdrawn.
   */
  async enter(place: Place): Promise<boolean> {
    if (this.#gate !== undefined) await this.#gate;
    if (place.isWithdrawn) return false;
    if (this.#isClosed) return true;
    if (this.#only !== undefined) {
      this.#lanes.set(formatAddress(this.#only), []);
      this.#only = undefined;
    }
    const key = formatAddress(place.peer);
    const lane = this.#lanes.get(key);
    if (lane === undefined) {
      this.#lanes.set(key, []);
      return true;
    }
    lane.push(place);
    return await new Promise<boolean>((go) => place.go = go);
  }

  /** Gives up a place. It has no effect on a send that has entered its lane. */
  withdraw(place: Place): void {
    place.isWithdrawn = true;
    const lane = this.#lanes.get(formatAddress(place.peer)) ?? [];
    const index = lane.indexOf(place);
    if (index < 0) return;
    lane.splice(index, 1);
    place.go?.(false);
  }

  /** Leaves the peer's lane: the next send in it has its turn. */
  leave(peer: Addr): void {
    if (this.#only === peer) this.#only = undefined;
    else {
      const key = formatAddress(peer);
      const next = this.#lanes.get(key)?.shift();
      if (next !== undefined) return next.go?.(true);
      this.#lanes.delete(key);
    }
    if (this.#only === undefined && this.#lanes.size === 0) this.#onEmpty?.();
  }

  /** Runs a batch in its turn, while no other send is under way. */
  async alone<T>(batch: () => T | Promise<T>): Promise<T> {
    const before = this.#gate;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    this.#openers.add(resolve);
    try {
      await before;
      if (
        (this.#only !== undefined || this.#lanes.size > 0) && !this.#isClosed
      ) {
        await new Promise<void>((go) => this.#onEmpty = go);
      }
      return await batch();
    } finally {
      resolve();
      this.#openers.delete(resolve);
      // Sends that wait for the gate go before any that are called from now on.
      promise.then(() => {
        if (this.#gate === promise) this.#gate = undefined;
      });
    }
  }

  /** Ends every wait: each send finds the socket closed. */
  close(): void {
    this.#isClosed = true;
    for (const lane of this.#lanes.values()) {
      for (const place of lane.splice(0)) place.go?.(true);
    }
    for (const open of this.#openers) open();
    this.#onEmpty?.();
  }
}
