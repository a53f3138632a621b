import type { Addr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import { batches, type BatchOptions } from "./batches.ts";
import type { Carrier } from "../carrier.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { Datagram } from "../datagram.ts";
import { failure, isClosed } from "../errors.ts";
import { Inbox } from "./inbox.ts";
import { Outbox } from "./outbox.ts";
import { Iteration, readable } from "./iteration.ts";
import { receive, tryReceive, type WaitOptions } from "./waits.ts";

// What IPv6 can carry in one datagram; IPv4 carries 20 bytes less.
const LARGEST_DATAGRAM = 65_527;
// The receive buffer is that long, so this bounds a socket's memory.
const LARGEST_MAX_SIZE = 64 * 1024 * 1024;

/** What both kinds of sockets take. */
export interface SocketOptions {
  /**
   * The longest data that a datagram is delivered with, in bytes, 0 to 64 MiB.
   * Longer ones are cut to it and marked `truncated`.
   * @default {65527}
   */
  maxSize?: number;
}

/**
 * What a socket has counted so far. It adds up: each datagram that came to the
 * socket is in `received`, in `waiting`, or under one reason in `dropped`; each
 * call of `send` is in `sent` or in `sendFailed`.
 */
export interface SocketStats {
  /** Datagrams that the program got. */
  readonly received: number;
  /** Their bytes, as delivered. */
  readonly bytes: number;
  /** How many of `received` were cut to `maxSize`. */
  readonly truncated: number;
  /** Datagrams that are here and wait for the program to receive them. */
  readonly waiting: number;
  /** Datagrams that the carrier took. Over UDP that says nothing of arrival. */
  readonly sent: number;
  /** Their bytes. */
  readonly sentBytes: number;
  /** Calls of `send` that rejected. */
  readonly sendFailed: number;
  /**
   * Answers that were kept back, by reason: `answerRate` and `amplification`
   * (see `answerLimit` and `maxAmplification` of `bind`).
   */
  readonly withheld: Readonly<Record<string, number>>;
  /**
   * Datagrams that came and did not reach the program, by reason: `stranger`
   * (not from the peer of a connected socket), `denied` and `rateLimited` (see
   * `allow`, `deny` and `rateLimit` of `bind`), `queueFull` (256 waited already),
   * `closed` (waited when the socket was closed), and what the carrier adds.
   */
  readonly dropped: Readonly<Record<string, number>>;
  /**
   * Connections that the carrier closed or rejected by itself, by reason; absent
   * over carriers without connections. They are not part of the sum above: a
   * message that was lost with its connection is in `dropped`.
   */
  readonly connections?: Readonly<Record<string, number>>;
}

/**
 * What {@linkcode DatagramSocket} and {@linkcode ConnectedSocket} have in
 * common: receiving, counting and closing.
 *
 * Nothing is lost by giving up: when a `receive` times out or is aborted, the
 * datagram that it would have got goes to the next one. Concurrent receivers
 * are served first come, first served. A socket reads only while somebody
 * receives; until then the system's buffer holds what arrives, and when that is
 * full the system drops (see {@linkcode BaseSocket.kernelDrops}).
 */
export abstract class BaseSocket<A extends Addr>
  implements AsyncIterable<Datagram<A>>, Disposable, AsyncDisposable {
  /** The local address: what was bound, with the port that the system chose. */
  readonly addr: A;
  /**
   * Resolves when the socket is open, which nearly always it is from the start;
   * rejects when it could not be opened (`receive` then rejects likewise). Only
   * a `unix:` path that a crash left behind takes a moment to be looked at.
   */
  readonly opened: Promise<void>;
  /** What its timeouts run on: the carrier's clock, or the system's. */
  readonly clock: Clock;
  /**
   * The carrier underneath.
   * @internal
   */
  protected readonly carrier: Carrier;
  /**
   * The sending half.
   * @internal
   */
  protected readonly outbox: Outbox;
  /**
   * The receiving half.
   * @internal
   */
  protected readonly inbox: Inbox<A>;
  /**
   * Answers that were not sent, by reason.
   * @internal
   */
  protected readonly withheld: Readonly<Record<string, number>> = {};
  #readable: ReadableStream<Datagram<A>> | undefined;
  #closed = false;
  #ended: Promise<void> | undefined;

  /**
   * For the two kinds of sockets only.
   * @internal
   */
  protected constructor(
    carrier: Carrier,
    options: SocketOptions = {},
    refuses?: (from: A) => string | undefined,
  ) {
    const maxSize = checkMaxSize(options.maxSize ?? carrier.maxReceive);
    const local = formatAddress(carrier.addr);
    this.carrier = carrier;
    this.addr = carrier.addr as A;
    this.opened = carrier.opened ?? Promise.resolve();
    this.clock = carrier.clock ?? systemClock;
    this.inbox = new Inbox(carrier, local, maxSize, refuses);
    this.outbox = new Outbox(carrier, local);
  }

  /**
   * Waits for the next datagram.
   *
   * @param options `{ timeoutMs, signal }`: how long to wait. Giving up takes no
   * datagram along: the next `receive` gets it.
   * @returns One datagram, marked `truncated` where it was longer than `maxSize`.
   * @throws {Deno.errors.TimedOut} Nothing came within `timeoutMs`.
   * @throws {SocketClosedError} The socket is closed, or was closed meanwhile.
   * @throws Whatever else the carrier reports, as the built-in class that fits;
   * the socket goes on. `signal.reason` is thrown as it is.
   */
  receive(options?: WaitOptions): Promise<Datagram<A>> {
    return receive(this.inbox, this.clock, options);
  }

  /**
   * Gives what already waits, without waiting for more. To see that nothing does
   * takes a fraction of a millisecond.
   *
   * @returns The datagram, or `undefined` when none waits.
   * @throws {SocketClosedError} The socket is closed.
   */
  tryReceive(): Promise<Datagram<A> | undefined> {
    return tryReceive(this.inbox, this.clock);
  }

  /**
   * The datagrams as one stream. It reads nothing ahead by itself: what nobody
   * pulls stays for `receive`. It ends when the socket is closed; cancelling it
   * leaves the socket open, and so does an error of the carrier, which is the
   * stream's. After either there is a new stream here.
   */
  get readable(): ReadableStream<Datagram<A>> {
    return this.#readable ??= readable(
      this.inbox,
      () => this.#readable = undefined,
    );
  }

  /**
   * Iterates over the datagrams until the socket is closed. `break` leaves the
   * socket open, and no datagram is lost by it. An error of the carrier is
   * thrown into the loop.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Datagram<A>> {
    return new Iteration(this.inbox);
  }

  /**
   * Iterates over the datagrams by the batch: all that have come, in order, at
   * least one and no more than `max`. Over a carrier that receives by the batch
   * (`offload`) that costs far less a datagram; over any other each batch holds
   * what is here, mostly one. `break` leaves the socket open, and no datagram is
   * lost by it.
   *
   * @param options `{ max, reuse, timeoutMs, signal }`: how many at the most,
   * whether their memory may be used again for the next, and how long to wait
   * for the first of each batch. Giving up throws
   * `Deno.errors.TimedOut` or `signal.reason` into the loop, and takes no
   * datagram along.
   * @throws {RangeError} An option is out of range.
   *
   * @example
   * ```ts
   * import { bind } from "@pli/datagram";
   *
   * await using socket = bind("udp://127.0.0.1:0");
   * await socket.send("Bonjour", socket.addr); // to itself
   * for await (const batch of socket.batches({ max: 100 })) {
   *   for (const { data, from } of batch) console.log(data.length, from.port);
   *   break;
   * }
   * ```
   */
  batches(options?: BatchOptions): AsyncIterableIterator<Datagram<A>[]> {
    return batches(this.inbox, this.clock, options);
  }

  /** What the socket has counted so far: a copy that does not change. */
  get stats(): SocketStats {
    const { dropped: own, ...received } = this.inbox.counts;
    const dropped: Record<string, number> = { ...own };
    for (const [why, n] of Object.entries(this.carrier.drops?.() ?? {})) {
      dropped[why] = (dropped[why] ?? 0) + n;
    }
    const connections = this.carrier.connections?.();
    return {
      ...received,
      waiting: this.inbox.waiting,
      ...this.outbox.counts,
      withheld: { ...this.withheld },
      dropped,
      ...(connections !== undefined && { connections }),
    };
  }

  /**
   * How many datagrams the system dropped at this socket because its buffer was
   * full. Linux tells, to programs with `--allow-run=cat` or all permissions;
   * it takes some milliseconds.
   *
   * @returns The number since the socket was bound, or `undefined` where it
   * cannot be known (other systems or carriers, no permission, a closed socket,
   * an address that several sockets share). It never asks for a permission.
   */
  async kernelDrops(): Promise<number | undefined> {
    return this.#closed ? undefined : await this.carrier.kernelDrops?.();
  }

  /** Lets a waiting `receive` keep the program running, as it does at first. */
  ref(): void {
    this.inbox.ref();
  }

  /** Lets the program end although a `receive` waits. */
  unref(): void {
    this.inbox.unref();
  }

  /**
   * Closes the socket. Waiting `receive`s and `request`s reject with
   * {@linkcode SocketClosedError}, iterations and `readable` end, datagrams that
   * nobody received are counted as `dropped.closed`. A second call does nothing.
   * With a `receive` waiting the port is free one turn of the event loop later:
   * `await using` waits for that.
   *
   * @throws What the carrier throws when it closes; the socket is closed anyway.
   */
  close(): void {
    if (!this.#shut()) return;
    try {
      this.carrier.close();
    } catch (error) {
      this.#notClosed(error);
    }
  }

  /** The same as {@linkcode BaseSocket.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Sends what the carrier still holds, closes, and waits until the port is free. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#shut()) this.#ended = this.#end();
    await this.#ended;
    await this.inbox.idle();
    await this.carrier.closed;
  }

  #shut(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    this.inbox.close();
    this.outbox.close();
    return true;
  }

  async #end(): Promise<void> {
    try {
      if (this.carrier.end === undefined) this.carrier.close();
      else await this.carrier.end();
    } catch (error) {
      this.#notClosed(error);
    }
  }

  /** A carrier that is closed already is just what was wanted. */
  #notClosed(error: unknown): void {
    if (isClosed(error)) return;
    throw failure(`close ${formatAddress(this.addr)}`, error, {
      local: this.addr,
    });
  }
}

/** The limit, or its default. */
export function checkMaxSize(maxSize = LARGEST_DATAGRAM): number {
  if (
    Number.isInteger(maxSize) && maxSize >= 0 && maxSize <= LARGEST_MAX_SIZE
  ) return maxSize;
  throw new RangeError(
    `Cannot open a socket: maxSize must be a whole number from 0 to ${LARGEST_MAX_SIZE}: given ${maxSize}`,
  );
}
