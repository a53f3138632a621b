import type { Addr } from "../addr.ts";
import { anyPeerKey } from "../address/peer.ts";
import type { Carrier } from "../carrier.ts";
import { isAddress } from "../address/address.ts";
import { type Attempt, failure, socketClosed } from "../errors.ts";
import type { Destination } from "./destinations.ts";
import type { Outbox } from "./outbox.ts";

/** An address that a question goes to, and that its replies come from. */
export class Target {
  readonly #carrier: Carrier;
  readonly #outbox: Outbox;
  readonly #isName: boolean;
  #to: Addr;

  constructor(carrier: Carrier, outbox: Outbox, destination: Destination) {
    this.#carrier = carrier;
    this.#outbox = outbox;
    this.#isName = destination.isName;
    this.#to = destination.to;
  }

  /** The address; a name until it is found. */
  get to(): Addr {
    return this.#to;
  }

  /** What distinguishes the peer, once it is found. */
  get peer(): string {
    return anyPeerKey(this.#to);
  }

  /** Whether a name has to be looked up first. */
  get isToBeFound(): boolean {
    return this.#isName && this.#carrier.lookUp !== undefined;
  }

  /**
   * Looks up the name.
   *
   * @throws {SocketClosedError} The socket is closed meanwhile.
   * @throws The error of the carrier, such as `Deno.errors.NotFound`.
   */
  async find(attempt: Attempt): Promise<void> {
    const end = Promise.withResolvers<never>();
    const forget = this.#outbox.onClose(() =>
      end.reject(socketClosed(attempt))
    );
    try {
      const looking = Promise.try(() => this.#carrier.lookUp!(this.#to));
      const found: unknown = await Promise.race([looking, end.promise]);
      if (!isAddress(found)) {
        throw new TypeError(
          "the carrier returned something that is no address",
        );
      }
      this.#to = { ...found };
    } catch (error) {
      throw failure(attempt.action, error, attempt);
    } finally {
      forget();
    }
  }
}
