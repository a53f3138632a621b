import type { Addr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import { isIp } from "../address/host.ts";
import type { Carrier, Outgoing, SentBatch } from "../carrier.ts";
import { milliseconds, wrongType } from "../check.ts";
import { systemClock } from "../clock.ts";
import { count } from "../count.ts";
import {
  errors,
  failure,
  MessageTooLargeError,
  withFields,
} from "../errors.ts";
import { Destinations } from "./destinations.ts";
import { type WaitOptions, within } from "./waits.ts";

// A datagram's length field of 16 bits, less the headers that it counts: 8 of
// UDP (RFC 768), and of IPv4 20 more (RFC 791).
const MAX_SIZE_IPV4 = 65_507;
const MAX_SIZE_IPV6 = 65_527;
// A `unix:` receiver that does not read makes its senders wait; UDP never does.
const UNIX_TIMEOUT_MS = 1000;

const encoder = new TextEncoder();

/** What a socket sends: bytes as they are, text as UTF-8. */
export type Data = string | Uint8Array;

/** The bytes that are sent. */
export function encode(data: Data): Uint8Array {
  return typeof data === "string" ? encoder.encode(data) : data;
}

/** What an outbox counts; see `SocketStats`. */
export interface OutboxCounts {
  sent: number;
  sentBytes: number;
  sendFailed: number;
}

/**
 * The sending half of a socket: checks, sends, and counts each send once. To
 * each peer it sends one at a time, in the order of the calls: of sends that
 * overlap Deno keeps no order, and on a fresh socket it reverses them.
 */
export class Outbox {
  readonly counts: OutboxCounts = { sent: 0, sentBytes: 0, sendFailed: 0 };
  readonly #carrier: Carrier;
  readonly #local: string;
  readonly #destinations: Destinations;
  // To whom a send is under way: mostly one peer, and nobody waits. When sends
  // overlap, each peer has a lane, where those wait that come after.
  #only: Addr | undefined;
  readonly #lanes = new Map<string, (() => void)[]>();
  // Passed by one after another: there is one while a batch is sent.
  #gate: Promise<void> | undefined;
  #onDrained: (() => void) | undefined;
  #closed = false;

  constructor(carrier: Carrier, local: string) {
    this.#carrier = carrier;
    this.#local = local;
    this.#destinations = new Destinations(carrier.addr);
  }

  async send(
    data: Data,
    to: string | Addr,
    options?: WaitOptions,
  ): Promise<void> {
    try {
      const { data: bytes, to: peer } = this.prepare(data, to);
      const limits = limitsOf(peer, options);
      const isAlone = this.#only === undefined && this.#lanes.size === 0 &&
        this.#gate === undefined;
      try {
        if (isAlone && limits === undefined) {
          this.#only = peer;
          try {
            await this.#carry(bytes, peer);
          } finally {
            this.#done(peer);
          }
        } else await this.#inTurn(bytes, peer, limits);
      } catch (error) {
        if (limits?.signal?.aborted && error === limits.signal.reason) {
          throw error;
        }
        throw this.failure({ data: bytes, to: peer }, error);
      }
      this.counts.sent++;
      this.counts.sentBytes += bytes.length;
    } catch (error) {
      this.counts.sendFailed++;
      throw error;
    }
  }

  /**
   * A message as the carrier takes it.
   *
   * @throws {TypeError} No data.
   * @throws {InvalidAddressError} No address.
   * @throws {MessageTooLargeError} It is longer than one datagram can be.
   */
  prepare(data: Data, to: string | Addr): Outgoing {
    const peer = this.#destinations.get(to);
    return { data: this.#bytes(data, peer), to: peer };
  }

  /** Why it could not be sent. */
  failure({ data, to }: Outgoing, cause: unknown): Error {
    const text = `send ${count(data.length, "byte")} from ${this.#local} to `;
    const { addr } = this.#carrier;
    return failure(text + formatAddress(to), cause, {
      local: addr,
      remote: to,
    });
  }

  /**
   * Sends as many of them as go at once, when all sends that were called before
   * are done; those that are called now come after.
   */
  async sendBatch(batch: readonly Outgoing[]): Promise<SentBatch> {
    const before = this.#gate;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    try {
      await before;
      while (this.#only !== undefined || this.#lanes.size > 0) {
        await new Promise<void>((go) => this.#onDrained = go);
      }
      if (this.#closed) throw new errors.BadResource("closed");
      const result = await this.#carrier.sendBatch!(batch);
      this.counts.sent += result.sent;
      for (let i = 0; i < result.sent; i++) {
        this.counts.sentBytes += batch[i].data.length;
      }
      return result;
    } catch (error) {
      return { sent: 0, error };
    } finally {
      if (this.#gate === promise) this.#gate = undefined;
      resolve();
    }
  }

  close(): void {
    this.#closed = true;
    for (const lane of this.#lanes.values()) {
      for (const go of lane.splice(0)) go();
    }
  }

  #carry(bytes: Uint8Array, to: Addr): Promise<number> {
    if (this.#closed) throw new errors.BadResource("closed");
    return this.#carrier.send(bytes, to);
  }

  #done(peer: Addr): void {
    if (this.#only === peer) {
      this.#only = undefined;
      this.#onDrained?.();
    } else this.#leave(formatAddress(peer));
  }

  /**
   * A carrier's `send` cannot be cancelled: what is given up may yet arrive, but
   * not when it still waited for its turn.
   */
  async #inTurn(
    bytes: Uint8Array,
    to: Addr,
    limits: WaitOptions = {},
  ): Promise<void> {
    limits.signal?.throwIfAborted();
    const peer = formatAddress(to);
    let go: (() => void) | undefined;
    const send = async () => {
      await this.#enter(peer, (resolve) => go = resolve);
      try {
        await this.#carry(bytes, to);
      } finally {
        this.#leave(peer);
      }
    };
    try {
      await within(send(), this.#carrier.clock ?? systemClock, limits);
    } catch (error) {
      const lane = this.#lanes.get(peer) ?? [];
      const index = lane.findIndex((waiting) => waiting === go);
      if (index >= 0) lane.splice(index, 1);
      throw error;
    }
  }

  /** Takes the peer's lane, or waits in it. */
  async #enter(
    peer: string,
    onWait: (go: () => void) => void,
  ): Promise<void> {
    if (this.#gate !== undefined) await this.#gate;
    if (this.#only !== undefined) {
      this.#lanes.set(formatAddress(this.#only), []);
      this.#only = undefined;
    }
    const lane = this.#lanes.get(peer);
    if (lane === undefined) this.#lanes.set(peer, []);
    else {
      await new Promise<void>((go) => {
        lane.push(go);
        onWait(go);
      });
    }
  }

  /** Lets the next one in the lane go. */
  #leave(peer: string): void {
    const next = this.#lanes.get(peer)?.shift();
    if (next === undefined) {
      this.#lanes.delete(peer);
      this.#onDrained?.();
    } else next();
  }

  #bytes(data: Data, to: Addr): Uint8Array {
    const bytes = encode(data);
    if (!(bytes instanceof Uint8Array)) {
      throw wrongType("send", "data", "a string or a Uint8Array", bytes);
    }
    const limit = this.#carrier.maxSize?.(to) ??
      familyLimit(to, this.#carrier.addr);
    if (bytes.length <= limit) return bytes;
    throw withFields(
      new MessageTooLargeError(
        `Cannot send ${count(bytes.length, "byte")} to ${
          formatAddress(to)
        }: one datagram holds at most ${limit}`,
      ),
      { operation: "send", local: this.#carrier.addr, remote: to },
    );
  }
}

/** `undefined` where there are none, as mostly. */
function limitsOf(
  to: Addr,
  options: WaitOptions | undefined,
): WaitOptions | undefined {
  const { signal } = options ?? {};
  const timeoutMs = milliseconds("send", "timeoutMs", options?.timeoutMs) ??
    (to.transport === "unixpacket" ? UNIX_TIMEOUT_MS : undefined);
  return timeoutMs === undefined && signal === undefined
    ? undefined
    : { timeoutMs, signal };
}

function familyLimit(to: Addr, local: Addr): number {
  if (!("hostname" in to && "hostname" in local)) return MAX_SIZE_IPV6;
  const { hostname } = to;
  // A name is looked up in the socket's family.
  const ipv6 = hostname.includes(":")
    ? !hostname.startsWith("::ffff:")
    : local.hostname.includes(":") && !isIp(hostname);
  return ipv6 ? MAX_SIZE_IPV6 : MAX_SIZE_IPV4;
}
