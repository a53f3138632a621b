import type { NetAddr } from "../../addr.ts";
import { peerKey } from "../../address/peer.ts";
import { CODE } from "./failures.ts";
import type { Peer } from "./peer.ts";

/**
 * The peers of a listener, found by their addresses. A peer is also found at its
 * last address, until another one has that: a NAT may give a client another port
 * at any time.
 */
export class PeerMap {
  /** The peers. */
  readonly all: Set<Peer> = new Set();
  readonly #byKey = new Map<string, Peer>();
  // The key of each peer, and the one before it.
  readonly #keys = new Map<Peer, string[]>();

  /** How many peers there are. */
  get size(): number {
    return this.all.size;
  }

  /** Returns the peer at that address. */
  at(address: NetAddr): Peer | undefined {
    return this.#byKey.get(peerKey(address));
  }

  /**
   * Adds a peer. One that has the same address is closed: the client has lost
   * its connection and made another, and with two peers at one address a reply
   * could go to the wrong one.
   */
  add(peer: Peer): void {
    this.all.add(peer);
    this.#place(peer);
  }

  /** Removes a peer that has left. */
  delete(peer: Peer): void {
    this.all.delete(peer);
    for (const key of this.#keys.get(peer) ?? []) this.#release(key, peer);
    this.#keys.delete(peer);
  }

  /** Notes where the peers are now. */
  renew(): void {
    for (const peer of this.all) {
      peer.renew();
      if (peerKey(peer.addr) !== this.#keys.get(peer)?.[0]) this.#place(peer);
    }
  }

  /** Places a peer at its address, and peers that have moved from there at theirs. */
  #place(peer: Peer): void {
    for (let placed = peer;;) {
      const key = peerKey(placed.addr);
      const other = this.#byKey.get(key);
      this.#byKey.set(key, placed);
      const [now, before] = this.#keys.get(placed) ?? [];
      if (now !== key) {
        if (before !== undefined && before !== key) {
          this.#release(before, placed);
        }
        this.#keys.set(placed, now === undefined ? [key] : [key, now]);
      }
      if (other === undefined || other === placed) return;
      other.renew();
      const itsKey = peerKey(other.addr);
      if (itsKey === key) return other.close(CODE.replaced);
      if (this.#byKey.get(itsKey) === other) return;
      placed = other;
    }
  }

  #release(key: string, peer: Peer): void {
    if (this.#byKey.get(key) === peer) this.#byKey.delete(key);
  }
}
