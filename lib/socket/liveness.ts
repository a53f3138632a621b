import type { Carrier } from "../carrier.ts";

/**
 * Decides whether a pending `receive` of the carrier keeps the program running:
 * only while a waiter wants a datagram, and unless the program called `unref`.
 */
export class Liveness {
  readonly #carrier: Carrier;
  #isUnreferenced = false;
  #isUnwanted = false;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  /** To be called when a waiter wants a datagram. */
  want(): void {
    if (!this.#isUnwanted) return;
    this.#isUnwanted = false;
    if (!this.#isUnreferenced) this.#carrier.ref?.();
  }

  /** To be called when the last waiter gave up. */
  unwant(): void {
    this.#isUnwanted = true;
    this.#carrier.unref?.();
  }

  /** See `BaseSocket.ref`. */
  ref(): void {
    this.#isUnreferenced = false;
    if (!this.#isUnwanted) this.#carrier.ref?.();
  }

  /** See `BaseSocket.unref`. */
  unref(): void {
    this.#isUnreferenced = true;
    this.#carrier.unref?.();
  }
}
