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

  /** A waiter wants a datagram. */
  want(): void {
    if (!this.#isUnwanted) return;
    this.#isUnwanted = false;
    if (!this.#isUnreferenced) this.#carrier.ref?.();
  }

  /** The last waiter gave up while a `receive` is pending. */
  unwant(): void {
    this.#isUnwanted = true;
    this.#carrier.unref?.();
  }

  ref(): void {
    this.#isUnreferenced = false;
    if (!this.#isUnwanted) this.#carrier.ref?.();
  }

  unref(): void {
    this.#isUnreferenced = true;
    this.#carrier.unref?.();
  }
}
