import type { Addr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import type { Carrier } from "../carrier.ts";
import { failure, isClosed } from "../errors.ts";
import type { Inbox } from "./inbox.ts";
import type { Outbox } from "./outbox.ts";

/**
 * How far a socket is closed: it is open; or a disposal sends what waits, and
 * then waits for the carrier's end; or it is closed.
 */
type State = "open" | "sending" | "ending" | "closed";

/** Closes a socket, at once or when everything is sent. */
export class Closing<A extends Addr> {
  readonly #carrier: Carrier;
  readonly #inbox: Inbox<A>;
  readonly #outbox: Outbox;
  #state: State = "open";
  #ended: Promise<void> | undefined;

  constructor(carrier: Carrier, inbox: Inbox<A>, outbox: Outbox) {
    this.#carrier = carrier;
    this.#inbox = inbox;
    this.#outbox = outbox;
  }

  /** Whether nothing is received any more. */
  get hasBegun(): boolean {
    return this.#state !== "open";
  }

  /**
   * Closes the socket now. A disposal that is under way waits no longer.
   *
   * @throws The error of the carrier's `close`.
   */
  now(): void {
    const state = this.#state;
    if (state === "closed") return;
    this.#state = "closed";
    this.#outbox.close();
    if (state === "open") this.#inbox.close();
    // The disposal goes on at once, and closes the carrier.
    if (state === "sending") return;
    try {
      this.#carrier.close();
    } catch (error) {
      this.#notClosed(error);
    }
  }

  /**
   * Sends what waits, closes the socket, and waits until the port is free.
   *
   * @throws The error of the carrier.
   */
  async whenSent(): Promise<void> {
    if (this.#state === "open") {
      this.#state = "sending";
      this.#inbox.close();
      this.#ended = this.#end();
    }
    await this.#ended;
    await this.#inbox.idle();
    await this.#carrier.closed;
  }

  async #end(): Promise<void> {
    await this.#outbox.end();
    const { end } = this.#carrier;
    try {
      if (end === undefined || this.#state === "closed") {
        return this.#carrier.close();
      }
      this.#state = "ending";
      await end.call(this.#carrier);
    } catch (error) {
      this.#notClosed(error);
    } finally {
      this.#state = "closed";
    }
  }

  /** Throws, unless the carrier was closed already, which is the goal. */
  #notClosed(error: unknown): void {
    if (isClosed(error)) return;
    const { local, remote } = this.#inbox.attempt;
    const action = `close ${formatAddress(local ?? this.#carrier.addr)}`;
    throw failure(action, error, { local, remote });
  }
}
