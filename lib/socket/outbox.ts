import type { Addr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import { isIp } from "../address/host.ts";
import type { Carrier, Outgoing, SentBatch } from "../carrier.ts";
import { shown, wrongType } from "../check.ts";
import { type Clock, systemClock } from "../clock.ts";
import { count } from "../count.ts";
import {
  type Attempt,
  cannot,
  errors,
  failure,
  fieldsOf,
  MessageTooLargeError,
  withFields,
} from "../errors.ts";
import { Destinations } from "./destinations.ts";
import { Lanes } from "./lanes.ts";
import { type Limits, limitsOf, type WaitOptions, within } from "./waits.ts";

// The length field of a datagram has 16 bits and counts the headers too: 8 bytes
// of UDP (RFC 768), and for IPv4 20 more (RFC 791).
const MAX_SIZE_IPV4 = 65_507;
const MAX_SIZE_IPV6 = 65_527;
// A `unix:` receiver that does not read makes its senders wait; UDP never does.
const UNIX_LIMITS: Limits = { ms: 1000, signal: undefined };
// How long `end` waits for messages that wait to be sent.
const END_MS = 5000;

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
  sending: number;
}

/** A message as the carrier takes it, and its length when it was given. */
export interface Prepared extends Outgoing {
  readonly size: number;
}

/** What became of the first messages of a batch. */
export interface Part {
  /** How many were sent. */
  readonly sent: number;
  /** How many were sent or failed. */
  readonly settled: number;
  /** Why the others of these failed. */
  readonly error?: Error;
}

/**
 * The sending half of a socket: checks, sends, and counts each message once. It
 * is in `sending` until it is sent or has failed.
 */
export class Outbox {
  readonly counts: OutboxCounts = {
    sent: 0,
    sentBytes: 0,
    sendFailed: 0,
    sending: 0,
  };
  /** For the messages of errors: to send from this socket. */
  readonly attempt: Attempt;
  readonly #carrier: Carrier;
  readonly #clock: Clock;
  readonly #local: Addr;
  readonly #destinations: Destinations;
  readonly #lanes = new Lanes();
  readonly #onClose = new Set<() => void>();
  #isEnding = false;
  #isClosed = false;
  #onSettled: (() => void) | undefined;

  /** @param local The local address, which the program cannot change. */
  constructor(carrier: Carrier, local: Addr) {
    this.attempt = { action: `send from ${formatAddress(local)}`, local };
    this.#carrier = carrier;
    this.#clock = carrier.clock ?? systemClock;
    this.#local = local;
    this.#destinations = new Destinations(local);
  }

  /** Whether the carrier sends in batches. */
  get sendsBatches(): boolean {
    return this.#carrier.sendBatch !== undefined;
  }

  async send(
    data: Data,
    to: string | Addr,
    options?: WaitOptions,
  ): Promise<void> {
    // Set while it is carried at once, as nearly every message is: not by a
    // function of its own, whose `await` would cost a send a third more.
    let carried: Prepared | undefined;
    this.counts.sending++;
    try {
      const message = this.prepare(data, to);
      const limits = this.#limits(message, options);
      if (limits === undefined && this.#lanes.tryEnter(message)) {
        carried = message;
        await this.#give(message);
      } else await this.#inTurn(message, limits);
      this.counts.sent++;
      this.counts.sentBytes += message.size;
    } catch (error) {
      this.counts.sendFailed++;
      throw carried === undefined ? error : this.failure(carried, error);
    } finally {
      if (carried !== undefined) this.#lanes.leave(carried);
      this.#settled(1);
    }
  }

  /**
   * Checks a message, and returns it as the carrier takes it.
   *
   * @throws {TypeError} `data` is neither a string nor bytes, or its bytes are
   * detached.
   * @throws {InvalidAddressError} `to` is not an address of this socket's scheme.
   * @throws {MessageTooLargeError} It is longer than one datagram can be.
   * @throws {SocketClosedError} The socket is about to be closed.
   */
  prepare(data: Data, to: string | Addr): Prepared {
    const peer = this.#destinations.get(to);
    const bytes = encode(data);
    if (!(bytes instanceof Uint8Array)) {
      const attempt = this.#attempt("send", peer);
      throw wrongType(attempt, "data", "a string or a Uint8Array", bytes);
    }
    const size = bytes.length;
    const message = { data: bytes, to: peer, size };
    if (size === 0) this.#requireBytes(message);
    const limit = this.#longest(peer);
    if (size > limit) throw this.#tooLarge(size, peer, limit);
    if (this.#isEnding) throw this.failure(message, closed());
    return message;
  }

  /** Makes the error of a message that could not be sent. */
  failure(message: Prepared, cause: unknown): Error {
    const attempt = this.#attemptOf(message);
    return failure(attempt.action, cause, attempt);
  }

  /**
   * Sends as many messages of a batch as the carrier takes at once, when it is
   * the batch's turn. The messages are in `sending` already.
   */
  async sendBatch(batch: readonly Prepared[]): Promise<Part> {
    let part: Part = { sent: 0, settled: 0 };
    const entered = this.#lanes.tryEnter(batch) ||
      await this.#lanes.enter(batch);
    if (!entered) return part;
    try {
      part = this.#part(batch, await this.#giveBatch(batch));
    } catch (cause) {
      const error = this.failure(batch[0]!, cause);
      part = { sent: 0, settled: 1, error };
    } finally {
      this.#lanes.leave(batch);
    }
    const { sent, settled } = part;
    this.counts.sent += sent;
    for (let i = 0; i < sent; i++) this.counts.sentBytes += batch[i]!.size;
    this.counts.sendFailed += settled - sent;
    this.#settled(settled);
    return part;
  }

  /** Withdraws a batch that waits for its turn. */
  withdraw(batch: readonly Prepared[]): void {
    this.#lanes.withdraw(batch);
  }

  /** Counts that many messages of `sending` as failed. */
  giveUp(count: number): void {
    this.counts.sendFailed += count;
    this.#settled(count);
  }

  /** Calls back when the socket is closed. Returns a function that ends that. */
  onClose(callback: () => void): () => void {
    if (this.#isEnding) callback();
    else this.#onClose.add(callback);
    return () => void this.#onClose.delete(callback);
  }

  /** Takes no more messages, sends those that wait, for 5 s at most, and closes. */
  async end(): Promise<void> {
    this.#refuse();
    if (this.counts.sending > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(END_MS, resolve);
        this.#onSettled = () => {
          cancel();
          resolve();
        };
      });
    }
    this.close();
  }

  close(): void {
    this.#refuse();
    this.#isClosed = true;
    this.#lanes.close();
    this.#onSettled?.();
  }

  #refuse(): void {
    this.#isEnding = true;
    for (const callback of this.#onClose) callback();
    this.#onClose.clear();
  }

  #settled(count: number): void {
    this.counts.sending -= count;
    if (this.counts.sending === 0) this.#onSettled?.();
  }

  #give(message: Prepared): Promise<number> {
    this.#requireOpen();
    this.#requireBytes(message);
    return this.#carrier.send(message.data, message.to);
  }

  #giveBatch(batch: readonly Prepared[]): SentBatch | Promise<SentBatch> {
    this.#requireOpen();
    for (const message of batch) this.#requireBytes(message);
    return this.#carrier.sendBatch!(batch);
  }

  /** Checks what the carrier returned before it is counted. */
  #part(batch: readonly Prepared[], result: SentBatch): Part {
    const { length } = batch;
    const { sent, error } = (result ?? {}) as Partial<SentBatch>;
    if (!Number.isInteger(sent) || sent! < 0 || sent! > length) {
      // Nobody knows which were sent. Sending them again could double them.
      const why = `its carrier sent ${shown(sent)} of ${
        count(length, "message")
      }`;
      return {
        sent: 0,
        settled: length,
        error: this.failure(batch[0]!, new TypeError(why)),
      };
    }
    const next = batch[sent!];
    if (next === undefined || error === undefined && sent! > 0) {
      return { sent: sent!, settled: sent! };
    }
    const cause = error ??
      new Error("its carrier sent nothing, and gave no reason");
    return {
      sent: sent!,
      settled: sent! + 1,
      error: this.failure(next, cause),
    };
  }

  /**
   * Sends a message when it is its turn. A carrier's `send` cannot be canceled:
   * a message that is given up on may still arrive, but not if it was still
   * waiting for its turn.
   */
  async #inTurn(
    message: Prepared,
    limits: Limits | undefined,
  ): Promise<void> {
    limits?.signal?.throwIfAborted();
    const send = async () => {
      if (!await this.#lanes.enter(message)) return;
      try {
        await this.#give(message);
      } catch (cause) {
        throw this.failure(message, cause);
      } finally {
        this.#lanes.leave(message);
      }
    };
    try {
      await within(send(), this.#clock, limits, this.#attemptOf(message));
    } catch (error) {
      this.#lanes.withdraw(message);
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

  /** The length of the longest datagram to that peer. */
  #longest(peer: Addr): number {
    const limit: unknown = this.#carrier.maxSize?.(peer);
    return typeof limit === "number" && limit >= 0
      ? limit
      : familyLimit(peer, this.#local);
  }

  #requireOpen(): void {
    if (this.#isClosed) throw closed();
  }

  /**
   * A buffer that was transferred to a worker, or shrunk, has no bytes any more:
   * the message would be sent as an empty one.
   */
  #requireBytes(message: Prepared): void {
    const { data, size } = message;
    if (data.length === size && (size > 0 || isAttached(data))) return;
    const why = "its bytes are gone: the buffer was transferred or resized";
    throw this.failure(message, new TypeError(why));
  }

  #tooLarge(size: number, to: Addr, limit: number): MessageTooLargeError {
    const attempt = this.#attempt(
      `send ${count(size, "byte")} to ${formatAddress(to)}`,
      to,
    );
    return withFields(
      new MessageTooLargeError(
        cannot(attempt, `one datagram holds at most ${limit}`),
      ),
      fieldsOf(attempt),
    );
  }

  #attemptOf({ size: length, to }: Prepared): Attempt {
    const size = count(length, "byte");
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

function closed(): Error {
  return new errors.BadResource("closed");
}

/** Whether an empty array is only empty, and not without its buffer. */
function isAttached(data: Uint8Array): boolean {
  try {
    data.at(0);
    return true;
  } catch {
    return false;
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
