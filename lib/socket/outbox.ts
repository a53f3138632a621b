import type { Addr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import { isIp } from "../address/host.ts";
import type { Carrier, Outgoing, SentBatch } from "../carrier.ts";
import { wrongType } from "../check.ts";
import { systemClock } from "../clock.ts";
import { count } from "../count.ts";
import {
  type Attempt,
  errors,
  failure,
  fieldsOf,
  MessageTooLargeError,
  withFields,
} from "../errors.ts";
import { Destinations } from "./destinations.ts";
import { Lanes, type Place } from "./lanes.ts";
import { type Limits, limitsOf, type WaitOptions, within } from "./waits.ts";

// The length field of a datagram has 16 bits and counts the headers too: 8 bytes
// of UDP (RFC 768), and for IPv4 20 more (RFC 791).
const MAX_SIZE_IPV4 = 65_507;
const MAX_SIZE_IPV6 = 65_527;
// A `unix:` receiver that does not read makes its senders wait; UDP never does.
const UNIX_LIMITS: Limits = { ms: 1000, signal: undefined };

const encoder = new TextEncoder();

/** What a socket sends: bytes as they are, or text as UTF-8. */
export type Data = string | Uint8Array;

/** Returns the bytes to send. Data of a wrong type is returned as it is. */
export function encode(data: Data): Uint8Array {
  return typeof data === "string" ? encoder.encode(data) : data;
}

/** What an outbox counts; see `SocketStats`. */
export interface OutboxCounts {
  sent: number;
  sentBytes: number;
  sendFailed: number;
}

/** The sending half of a socket: checks, sends, and counts each send once. */
export class Outbox {
  readonly counts: OutboxCounts = { sent: 0, sentBytes: 0, sendFailed: 0 };
  /** For the messages of errors: to send from this socket. */
  readonly attempt: Attempt;
  readonly #carrier: Carrier;
  readonly #local: Addr;
  readonly #destinations: Destinations;
  readonly #lanes = new Lanes();
  #isClosed = false;

  /** @param local The local address, which the program cannot change. */
  constructor(carrier: Carrier, local: Addr) {
    this.attempt = { action: `send from ${formatAddress(local)}`, local };
    this.#carrier = carrier;
    this.#local = local;
    this.#destinations = new Destinations(local);
  }

  async send(
    data: Data,
    to: string | Addr,
    options?: WaitOptions,
  ): Promise<void> {
    // Set while it is carried at once, as nearly every message is: not by a
    // function of its own, whose `await` would cost a send a third more.
    let carried: Outgoing | undefined;
    try {
      const message = this.prepare(data, to);
      const limits = this.#limits(message, options);
      if (limits === undefined && this.#lanes.tryEnter(message.to)) {
        carried = message;
        await this.#give(message);
      } else await this.#inTurn(message, limits);
      this.counts.sent++;
      this.counts.sentBytes += message.data.length;
    } catch (error) {
      this.counts.sendFailed++;
      throw carried === undefined ? error : this.failure(carried, error);
    } finally {
      if (carried !== undefined) this.#lanes.leave(carried.to);
    }
  }

  /**
   * Checks a message, and returns it as the carrier takes it.
   *
   * @throws {TypeError} `data` is neither a string nor bytes.
   * @throws {InvalidAddressError} `to` is not an address of this socket's scheme.
   * @throws {MessageTooLargeError} It is longer than one datagram can be.
   */
  prepare(data: Data, to: string | Addr): Outgoing {
    const peer = this.#destinations.get(to);
    const bytes = encode(data);
    if (!(bytes instanceof Uint8Array)) {
      const attempt = this.#attempt("send", peer);
      throw wrongType(attempt, "data", "a string or a Uint8Array", bytes);
    }
    const limit = this.#carrier.maxSize?.(peer) ??
      familyLimit(peer, this.#local);
    if (bytes.length > limit) throw this.#tooLarge(bytes.length, peer, limit);
    return { data: bytes, to: peer };
  }

  /** Makes the error of a message that could not be sent. */
  failure(message: Outgoing, cause: unknown): Error {
    const attempt = this.#attemptOf(message);
    return failure(attempt.action, cause, attempt);
  }

  /**
   * Sends as many messages of a batch as the carrier takes at once, after all
   * sends that were called before, and before those that are called later.
   */
  async sendBatch(batch: readonly Outgoing[]): Promise<SentBatch> {
    try {
      const result = await this.#lanes.alone(() => {
        this.#requireOpen();
        return this.#carrier.sendBatch!(batch);
      });
      this.counts.sent += result.sent;
      for (let i = 0; i < result.sent; i++) {
        this.counts.sentBytes += batch[i].data.length;
      }
      return result;
    } catch (error) {
      return { sent: 0, error };
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#lanes.close();
  }

  #give({ data, to }: Outgoing): Promise<number> {
    this.#requireOpen();
    return this.#carrier.send(data, to);
  }

  /**
   * Sends a message when it is its turn. A carrier's `send` cannot be canceled:
   * a message that is given up on may still arrive, but not if it was still
   * waiting for its turn.
   */
  async #inTurn(
    message: Outgoing,
    limits: Limits | undefined,
  ): Promise<void> {
    limits?.signal?.throwIfAborted();
    const place: Place = { peer: message.to };
    const send = async () => {
      if (!await this.#lanes.enter(place)) return;
      try {
        await this.#give(message);
      } catch (cause) {
        throw this.failure(message, cause);
      } finally {
        this.#lanes.leave(message.to);
      }
    };
    const clock = this.#carrier.clock ?? systemClock;
    try {
      await within(send(), clock, limits, this.#attemptOf(message));
    } catch (error) {
      this.#lanes.withdraw(place);
      throw error;
    }
  }

  /** The limits of a send; usually there are none. */
  #limits(
    { to }: Outgoing,
    options: WaitOptions | undefined,
  ): Limits | undefined {
    const isUnix = to.transport === "unixpacket";
    if (options === undefined) return isUnix ? UNIX_LIMITS : undefined;
    const limits = limitsOf(this.#attempt("send", to), options);
    return isUnix && options.timeoutMs === undefined
      ? { ...UNIX_LIMITS, signal: limits?.signal }
      : limits;
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new errors.BadResource("closed");
  }

  #tooLarge(size: number, to: Addr, limit: number): MessageTooLargeError {
    const attempt = this.#attempt(
      `send ${count(size, "byte")} to ${formatAddress(to)}`,
      to,
    );
    return withFields(
      new MessageTooLargeError(
        `Cannot ${attempt.action}: one datagram holds at most ${limit}`,
      ),
      fieldsOf(attempt),
    );
  }

  #attemptOf({ data, to }: Outgoing): Attempt {
    const size = count(data.length, "byte");
    const local = formatAddress(this.#local);
    return this.#attempt(
      `send ${size} from ${local} to ${formatAddress(to)}`,
      to,
    );
  }

  #attempt(action: string, remote: Addr): Attempt {
    return { action, local: this.#local, remote };
  }
}

function familyLimit(to: Addr, local: Addr): number {
  if (!("hostname" in to && "hostname" in local)) return MAX_SIZE_IPV6;
  const { hostname } = to;
  // A name is looked up in the socket's family.
  const isIpv6 = hostname.includes(":")
    ? !hostname.startsWith("::ffff:")
    : local.hostname.includes(":") && !isIp(hostname);
  return isIpv6 ? MAX_SIZE_IPV6 : MAX_SIZE_IPV4;
}
