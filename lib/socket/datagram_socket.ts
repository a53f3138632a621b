import type { Addr, NetAddr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import { AnswerLimits, type AnswerOptions } from "../limits/answers.ts";
import { BaseSocket, type SocketOptions } from "./base_socket.ts";
import type { Carrier } from "../carrier.ts";
import { systemClock } from "../clock.ts";
import type { Datagram } from "../datagram.ts";
import { errors, failure, quote } from "../errors.ts";
import { Guard, type GuardOptions } from "../limits/guard.ts";
import { IPV4, isMulticast } from "../address/host.ts";
import { type Data, encode } from "./outbox.ts";
import { type Addressed, sendMany } from "./send_many.ts";
import type { WaitOptions } from "./waits.ts";

/** How {@linkcode DatagramSocket.joinMulticast} joins. */
export interface MulticastOptions {
  /**
   * The interface to join on: for IPv4 one of its addresses, for IPv6 its index.
   * @default {the system's choice}
   */
  interface?: string | number;
  /**
   * How many hops datagrams that this socket sends to groups may go, 0 to 255;
   * IPv4 only.
   * @default {1: this network}
   */
  ttl?: number;
  /**
   * Whether what this socket sends to groups also reaches members on this
   * machine.
   * @default {true}
   */
  loopback?: boolean;
}

/** What a socket for many peers takes. */
export interface DatagramSocketOptions
  extends SocketOptions, GuardOptions, AnswerOptions {}

/** A membership in a multicast group. */
export interface MulticastMembership extends AsyncDisposable {
  /** The group's address. */
  readonly group: string;
  /** Leaves the group. A second call, or one after `close`, does nothing. */
  leave(): Promise<void>;
}

/**
 * A socket for many peers (one-to-many): made by {@linkcode bind}, it receives
 * from anyone and sends to anyone.
 *
 * @example An echo server
 * ```ts
 * import { bind } from "@pli/datagram";
 *
 * await using socket = bind("udp://127.0.0.1:0");
 * await socket.send("hello", socket.addr); // to itself
 * for await (const { data, from } of socket) {
 *   await socket.send(data, from);
 *   break;
 * }
 * ```
 */
export class DatagramSocket<A extends Addr = NetAddr> extends BaseSocket<A> {
  /** @internal */
  protected override readonly withheld: Readonly<Record<string, number>>;
  readonly #answers: AnswerLimits;

  /**
   * A socket over a carrier that is open already, any `Deno.DatagramConn` for
   * one. The socket closes it.
   *
   * @throws {RangeError} An option is out of range.
   * @throws {InvalidAddressError} `allow` or `deny` names no network.
   */
  constructor(carrier: Carrier, options: DatagramSocketOptions = {}) {
    super(carrier, options, refusals(carrier, options));
    const { dropped } = this.inbox.counts;
    if (options.allow ?? options.deny) dropped.denied = 0;
    if (options.rateLimit !== undefined) dropped.rateLimited = 0;
    this.#answers = new AnswerLimits(options, this.addr, this.clock);
    this.withheld = this.#answers.withheld;
  }

  /**
   * Sends one datagram to a peer. That it resolves says that the system took
   * it, not that it arrived.
   *
   * @param data Bytes as they are, or text as UTF-8; empty is a datagram too.
   * Leave the bytes unchanged until the promise resolves.
   * @param to The peer: as an address, as text, or `from` of a datagram. A name
   * is looked up in the socket's family and remembered for 30 seconds.
   * @param options `{ timeoutMs, signal }`. What is given up may yet arrive.
   * @throws {MessageTooLargeError} Over 65,507 bytes for IPv4, 65,527 for IPv6,
   * or what the carrier says; nothing was sent.
   * @throws {InvalidAddressError} Not an address, or port 0.
   * @throws {SocketClosedError} The socket is closed.
   * @throws Whatever else the carrier reports, as the built-in class that fits;
   * the socket goes on. Each rejection is counted in `stats.sendFailed`.
   */
  send(
    data: Data,
    to: string | Addr,
    options?: WaitOptions,
  ): Promise<void> {
    return this.outbox.send(data, to, options);
  }

  /**
   * Sends messages, each as one datagram, in order. Over a carrier that sends by
   * the batch (`offload`) that costs far less a datagram, most of all for equal
   * lengths in a row to one peer; over any other they are sent one by one. One
   * that cannot be sent holds up no other. Other sends may go in between.
   *
   * @param messages `{ data, to }`, as in {@linkcode DatagramSocket.send}. The iterable is
   * read as it is sent, so it may be endless. Leave the bytes unchanged until the
   * promise resolves.
   * @param options `{ timeoutMs, signal }`, for all together. When they end it, no
   * more is read; what was read may yet arrive.
   * @returns How many were sent: all.
   * @throws {AggregateError} Some could not be sent: why, for the first 16. Each
   * is counted in `stats.sendFailed`.
   * @throws {SocketClosedError} The socket is closed, or was closed meanwhile.
   * @throws {Deno.errors.TimedOut} Not done within `timeoutMs`; `signal.reason` as
   * it is; what the iterable throws.
   */
  sendMany(
    messages: Iterable<Addressed>,
    options?: WaitOptions,
  ): Promise<number> {
    const { outbox, carrier, clock } = this;
    const inBatches = carrier.sendBatch !== undefined;
    return sendMany(outbox, messages, inBatches, clock, options);
  }

  /**
   * Sends a datagram's sender an answer, unless that would do harm: each peer
   * gets a limited number of answers (`answerLimit`), and beyond loopback no
   * more than three times the bytes that it sent (`maxAmplification`). What is
   * kept back is counted in `stats.withheld`.
   *
   * @param data As in {@linkcode DatagramSocket.send}.
   * @param datagram What it answers: one that this socket received.
   * @returns Whether it was sent.
   * @throws What {@linkcode DatagramSocket.send} throws.
   */
  async answer(data: Data, datagram: Datagram<A>): Promise<boolean> {
    const bytes = encode(data);
    if (!this.#answers.allows(datagram, bytes.length)) return false;
    await this.send(bytes, datagram.from);
    return true;
  }

  /**
   * Joins a multicast group. To hear it, bind the group's address or the
   * unspecified one (`0.0.0.0`, `[::]`); a socket on 127.0.0.1 hears no group.
   *
   * @param group An IPv4 address in 224.0.0.0/4, or an IPv6 one in ff00::/8.
   * @throws {RangeError} `group` is no multicast address, or an option does not
   * fit its family.
   * @throws {Deno.errors.NotSupported} The carrier knows no groups.
   */
  async joinMulticast(
    group: string,
    options: MulticastOptions = {},
  ): Promise<MulticastMembership> {
    const { carrier } = this;
    const what = `join ${quote(String(group))} on ${formatAddress(this.addr)}`;
    if (!isMulticast(String(group))) {
      throw new RangeError(
        `Cannot ${what}: a group is an address in 224.0.0.0/4 or ff00::/8`,
      );
    }
    if (!carrier.joinMulticastV4 || !carrier.joinMulticastV6) {
      throw new errors.NotSupported(
        `Cannot ${what}: its carrier knows no multicast`,
      );
    }
    const { interface: on, ttl, loopback } = options;
    const wrong = wrongOption(group, on, ttl);
    if (wrong !== undefined) throw new RangeError(`Cannot ${what}: ${wrong}`);
    let left: Membership | undefined;
    try {
      const joined = group.includes(":")
        ? await carrier.joinMulticastV6(group, Number(on ?? 0))
        : await carrier.joinMulticastV4(group, String(on ?? "0.0.0.0"));
      const membership = left = new Membership(group, () => joined.leave());
      if (ttl !== undefined) {
        // Only for IPv4, see wrongOption.
        await (joined as Deno.MulticastV4Membership).setTTL(ttl);
      }
      if (loopback !== undefined) await joined.setLoopback(loopback);
      left = undefined;
      return membership;
    } catch (error) {
      throw failure(what, error, { local: this.addr });
    } finally {
      // The error that is thrown already says more.
      await left?.leave().catch(() => {});
    }
  }
}

function wrongOption(
  group: string,
  on: string | number | undefined,
  ttl: number | undefined,
): string | undefined {
  if (group.includes(":")) {
    if (ttl !== undefined) return "IPv6 memberships have no ttl here";
    const isIndex = Number.isInteger(on) && Number(on) >= 0 &&
      Number(on) < 2 ** 32;
    if (on !== undefined && !isIndex) {
      return `the interface of an IPv6 group is an index: given ${on}`;
    }
    return undefined;
  }
  if (on !== undefined && !IPV4.test(String(on))) {
    return `the interface of an IPv4 group is one of its addresses: given ${on}`;
  }
  if (ttl !== undefined && !(Number.isInteger(ttl) && ttl >= 0 && ttl <= 255)) {
    return `ttl must be a whole number from 0 to 255: given ${ttl}`;
  }
}

class Membership implements MulticastMembership {
  readonly group: string;
  #leave: (() => Promise<void>) | undefined;

  constructor(group: string, leave: () => Promise<void>) {
    this.group = group;
    this.#leave = leave;
  }

  async leave(): Promise<void> {
    const leave = this.#leave;
    this.#leave = undefined;
    try {
      await leave?.();
    } catch (error) {
      // A closed socket has left all its groups.
      if (!(error instanceof errors.BadResource)) throw error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave();
  }
}

function refusals<A extends Addr>(
  carrier: Carrier,
  options: GuardOptions,
): ((from: A) => string | undefined) | undefined {
  const { allow, deny, rateLimit } = options;
  if (allow === undefined && deny === undefined && rateLimit === undefined) {
    return undefined;
  }
  const guard = new Guard(options, carrier.clock ?? systemClock);
  return (from) => guard.refuses(from);
}
