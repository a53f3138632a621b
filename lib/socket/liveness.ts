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
    if (!this.#isUnreferenced) this.#call("ref");
  }

  /** To be called when the last waiter gave up. */
  unwant(): void {
    this.#isUnwanted = true;
    this.#call("unref");
  }

  /** To be called when the program waits for the last `receive` to end. */
  hold(): void {
    this.#call("ref");
  }

  /** See `BaseSocket.ref`. */
  ref(): void {
    this.#isUnreferenced = false;
    if (!this.#isUnwanted) this.#call("ref");
  }

  /** See `BaseSocket.unref`. */
  unref(): void {
    this.#isUnreferenced = true;
    this.#call("unref");
  }

  /** The carrier may be the program's: what it throws ends no wait of others. */
  #call(method: "ref" | "unref"): void {
    try {
      this.#carrier[method]?.();
    } catch {
      // Whether the program goes on is not worth an error.
    }
  }
}
