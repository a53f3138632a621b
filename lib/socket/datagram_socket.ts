import { type Addr, copyAddr, type NetAddr } from "../addr.ts";
import { formatAddress, isAddress } from "../address/address.ts";
import type { Carrier } from "../carrier.ts";
import { shown, wrongType } from "../check.ts";
import type { Datagram } from "../datagram.ts";
import { quote } from "../errors.ts";
import { AnswerLimits } from "../limits/answers.ts";
import { dueTurn } from "../turns.ts";
import { type Asker, gather, type GatherOptions, request } from "./ask.ts";
import { BaseSocket } from "./base_socket.ts";
import {
  joinMulticast,
  type MulticastMembership,
  type MulticastOptions,
} from "./multicast.ts";
import {
  type DatagramSocketOptions,
  readDatagramSocketOptions,
} from "./options.ts";
import { type Data, encode, isBytes, lengthOf } from "./messages.ts";
import { policyOf } from "./policy.ts";
import type { RequestOptions } from "./request.ts";
import { requireCarrier } from "./require_carrier.ts";
import { type Addressed, sendMany } from "./send_many.ts";
import type { SendOptions } from "./send_limits.ts";
import { sendRun } from "./send_run.ts";
import type { WaitOptions } from "./waits.ts";

/**
 * A socket for many peers (one-to-many), made by {@linkcode bind}. It receives
 * from any peer and sends to any peer. Over UDP, a report of the system that an
 * earlier datagram found no receiver does not end a `receive`: it is counted as
 * `stats.unreachable`. Only a {@linkcode ConnectedSocket} rejects with it.
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
  readonly #asker: Asker<A>;

  /**
   * Makes a socket over a carrier that is already open, such as any
   * `Deno.DatagramConn`. Closing the socket closes the carrier.
   *
   * @param carrier The carrier.
   * @param options `{ maxSize }`, and the limits of {@linkcode bind}.
   * @throws {RangeError} An option is out of range.
   * @throws {InvalidAddressError} An entry of `allow` or `deny` is not a network.
   * @throws {TypeError} The carrier or an option is of the wrong type, or an
   * option has no use for the addresses of this socket.
   */
  constructor(carrier: Carrier, options: DatagramSocketOptions = {}) {
    requireCarrier("bind", carrier);
    const local = copyAddr(carrier.addr);
    const opening = { action: `bind ${formatAddress(local)}`, local };
    const read = readDatagramSocketOptions(opening, options, local);
    super(carrier, opening, read, policyOf(carrier, read, local));
    const { counts } = this.inbox;
    if (read.allow ?? read.deny) counts.drop("denied", 0);
    if (read.rateLimit !== undefined) counts.drop("rateLimited", 0);
    this.#answers = new AnswerLimits(read, local, this.clock);
    this.withheld = this.#answers.withheld;
    const { inbox, outbox, clock } = this;
    this.#asker = { carrier, local, inbox, outbox, clock };
  }

  /**
   * Sends one datagram to a peer. When the promise resolves, the system has
   * accepted the datagram; that does not mean that it has arrived.
   *
   * Cancellation: A datagram that was given up on may still arrive.
   *
   * @param data Bytes as they are, or text as UTF-8. Empty data is an empty
   * datagram. Leave the bytes unchanged until the promise resolves.
   * @param to The peer: an address, an address as text, or `from` of a datagram.
   * A name is looked up in the socket's family; the result is kept for 30
   * seconds.
   * @param options `{ from, timeoutMs, signal }`: the local address to send from,
   * and how long to wait for the system.
   * @throws {MessageTooLargeError} `data` is longer than 65,507 bytes for IPv4,
   * 65,527 for IPv6, or the carrier's limit; nothing was sent.
   * @throws {InvalidAddressError} `to` is not an address, its port is 0, or its
   * scheme is not the socket's.
   * @throws {SocketClosedError} The socket is closed.
   * @throws {Deno.errors.TimedOut} The system did not accept it in time.
   * @throws Any other error of the carrier, as the built-in class that fits; the
   * socket goes on. Each rejection is counted in `stats.sendFailed`.
   */
  send(
    data: Data,
    to: string | Addr,
    options?: SendOptions,
  ): Promise<void> {
    return this.outbox.send(data, to, options);
  }

  /**
   * Sends messages in order, each as one datagram. A carrier that sends in
   * batches (`offload`) makes this much cheaper per datagram, most of all for
   * messages of equal length to one peer in a row; over other carriers the
   * messages are sent one by one. A message that cannot be sent does not stop
   * the others. Other sends may go in between.
   *
   * Cancellation: No more messages are read. Those that were read may still
   * arrive.
   *
   * @param messages `{ data, to }`, as in {@linkcode DatagramSocket.send}. They
   * are read while they are sent, so the iterable may be endless. Leave the
   * bytes unchanged until the promise resolves.
   * @param options `{ timeoutMs, signal }`, for all messages together.
   * @returns How many messages were sent: all.
   * @throws {AggregateError} Some messages could not be sent. It has the errors
   * of the first 16; each is counted in `stats.sendFailed`.
   * @throws {SocketClosedError} The socket is closed, or was closed meanwhile.
   * @throws {Deno.errors.TimedOut} Not all were sent within `timeoutMs`.
   * @throws Whatever the iterable throws, and `signal.reason`, unchanged.
   */
  async sendMany(
    messages: Iterable<Addressed> | AsyncIterable<Addressed>,
    options?: WaitOptions,
  ): Promise<number> {
    const { outbox, clock } = this;
    return await sendMany(outbox, messages, clock, options);
  }

  /**
   * Sends the datagrams of a run to a peer in order: the bytes of `data`, of which
   * each `segmentSize` are one datagram, and the rest is the last one. A carrier
   * that sends in batches (`offload`) gives the kernel up to 128 of them in one
   * piece; over other carriers they are sent one by one. Sends to that peer
   * that are called later wait until all are sent.
   *
   * It stops at the first datagram that cannot be sent. The error has the number
   * of those that were sent as `sent`; the rest are counted in
   * `stats.sendFailed`.
   *
   * Cancellation: Datagrams that were given up on may still arrive.
   *
   * @param data Bytes as they are, or text as UTF-8, of any length. Leave the
   * bytes unchanged until the promise resolves. Empty data is one empty datagram.
   * @param segmentSize The length of each datagram in bytes, from 1; for empty
   * data also 0, as in the run of an empty datagram.
   * @param to The peer, as in {@linkcode DatagramSocket.send}.
   * @param options `{ timeoutMs, signal }`, for all datagrams together. To a
   * `unix:` peer the default of `timeoutMs` is 1000.
   * @returns How many datagrams were sent: all.
   * @throws {MessageTooLargeError} `segmentSize` is larger than 65,507 bytes for
   * IPv4, 65,527 for IPv6, or the carrier's limit; nothing was sent.
   * @throws {RangeError} `segmentSize` is not a whole number from 1; nothing was
   * sent.
   * @throws {InvalidAddressError} `to` is not an address of this socket's scheme.
   * @throws {SocketClosedError} The socket is closed, or was closed meanwhile.
   * @throws {Deno.errors.TimedOut} Not all were sent within `timeoutMs`.
   * @throws Any other error of the carrier, as the built-in class that fits; the
   * socket goes on. `signal.reason`, unchanged and without `sent`.
   */
  sendRun(
    data: Data,
    segmentSize: number,
    to: string | Addr,
    options?: WaitOptions,
  ): Promise<number> {
    const { outbox, clock } = this;
    return sendRun(outbox, clock, data, segmentSize, to, options);
  }

  /**
   * Sends a message to a peer and waits for its reply; if there is none, sends it
   * again. A datagram of that peer for which `match` returns true goes to this
   * request, or to one before it that takes it too. Any other datagram goes to
   * the next `receive`; up to 256 of them are kept.
   *
   * Cancellation: Giving up consumes no datagram; the request may still arrive.
   *
   * @param data As in {@linkcode DatagramSocket.send}.
   * @param to The peer, as in {@linkcode DatagramSocket.send}. A name is looked up
   * once, within the first `timeoutMs`.
   * @param options `{ timeoutMs, retries, backoff, match, signal }`: how long to
   * wait after each send, how often to send again, how the waits grow, and which
   * datagram is the reply.
   * @returns The reply.
   * @throws {InvalidAddressError} `to` is not the address of one peer.
   * @throws The errors of {@linkcode ConnectedSocket.request}. That nothing
   * receives at the peer's port shows only as `stats.unreachable`.
   */
  request(
    data: Data,
    to: string | Addr,
    options?: RequestOptions<A>,
  ): Promise<Datagram<A>> {
    return request(this.#asker, data, to, options);
  }

  /**
   * Asks many at once, such as a multicast group, a broadcast address or a list of
   * peers, and iterates over the replies that come within a time. A reply is a
   * datagram for which `match` returns true, of a peer that was asked, or of any
   * peer if a group or a broadcast address was asked. All others go to the next
   * `receive`, and so do further replies of a peer if `unique` allows one. Up to
   * 256 replies wait for the loop.
   *
   * The first step of the loop sends the question. The loop ends after `forMs`,
   * after `max` replies, when every peer of a list has sent the one that `unique`
   * allows, and when the socket is closed. That a question could not be sent is
   * counted in `stats.sendFailed`.
   *
   * Cancellation: Ending the loop consumes no datagram: replies that it has not
   * had go to the next `receive`, after those that wait already.
   *
   * @param data As in {@linkcode DatagramSocket.send}; leave the bytes unchanged
   * until the loop ends.
   * @param to An address, or several, as in {@linkcode DatagramSocket.send}.
   * @param options `{ forMs, unique, match, max, from, resendMs, backoff, signal }`.
   * @throws {InvalidAddressError} An entry of `to` is not an address.
   * @throws {MessageTooLargeError} The question is too long.
   * @throws {SocketClosedError} The socket is closed.
   * @throws {RangeError} An option is out of range.
   * @throws {TypeError} An option is of the wrong type.
   * @throws Into the loop: whatever `match` throws, `signal.reason`, an error of
   * the carrier, and if nobody could be asked, the error of the first send.
   */
  gather(
    data: Data,
    to: string | Addr | Iterable<string | Addr>,
    options?: GatherOptions<A>,
  ): AsyncIterableIterator<Datagram<A>> {
    return gather(this.#asker, data, to, options);
  }

  /**
   * Sends an answer to the sender of a datagram, unless that could do harm: each
   * peer gets a limited number of answers (`answerLimit`), and beyond loopback at
   * most three times the bytes that it sent (`maxAmplification`). An answer that
   * is withheld is counted in `stats.withheld`. From a socket at `0.0.0.0` or
   * `[::]`, it leaves from the address that the datagram was sent to, if the
   * carrier tells that (`offload`); otherwise the system chooses.
   *
   * @param data As in {@linkcode DatagramSocket.send}.
   * @param datagram The datagram to answer, which this socket received.
   * @returns Whether the answer was sent.
   * @throws The errors of {@linkcode DatagramSocket.send}.
   */
  async answer(data: Data, datagram: Datagram<A>): Promise<boolean> {
    // Read once: the limits and the answer are for the same peer.
    const { data: question, from, to } = datagram ?? {};
    const peer = { ...from };
    if (!isBytes(question) || !isAddress(peer)) {
      await dueTurn(this.clock);
      throw wrongType(this.outbox.attempt, "datagram", "a datagram", datagram);
    }
    const bytes = encode(data);
    // `send` rejects what is not data.
    if (isBytes(bytes)) {
      const given = { datagram, peer, size: lengthOf(question) };
      if (!this.#answers.allows(given, lengthOf(bytes))) {
        await dueTurn(this.clock);
        return false;
      }
    }
    const own = to !== undefined && this.carrier.sendFrom !== undefined
      ? { from: to }
      : undefined;
    await this.send(bytes, peer, own);
    return true;
  }

  /**
   * Joins a multicast group. To receive its datagrams, bind the group's address
   * or the unspecified one (`0.0.0.0`, `[::]`); a socket on 127.0.0.1 receives
   * none.
   *
   * @param group An IPv4 address in 224.0.0.0/4, or an IPv6 one in ff00::/8.
   * @param options `{ interface, ttl, loopback }`.
   * @returns The membership. `leave` ends it, and so does closing the socket.
   * @throws {RangeError} `group` is not a multicast address, or an option does
   * not fit its family.
   * @throws {Deno.errors.NotSupported} The carrier does not support multicast.
   */
  async joinMulticast(
    group: string,
    options: MulticastOptions = {},
  ): Promise<MulticastMembership> {
    const { carrier, local } = this;
    const on = formatAddress(local);
    const named = typeof group === "string" ? group : shown(group);
    const action = `join ${quote(named)} on ${on}`;
    try {
      return await joinMulticast(carrier, group, options, { action, local });
    } finally {
      await dueTurn(this.clock);
    }
  }
}
