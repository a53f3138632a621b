import { type Addr, copyAddr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import type { Carrier } from "../carrier.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { Datagram } from "../datagram.ts";
import { type Attempt, failure } from "../errors.ts";
import type { ReceivedRun } from "../run.ts";
import { dueTurn } from "../turns.ts";
import { batches, type BatchOptions } from "./batches.ts";
import { Closing } from "./closing.ts";
import { Inbox } from "./inbox.ts";
import { Iteration, readable } from "./iteration.ts";
import { maxSizeOf, type Read, type SocketOptions } from "./options.ts";
import { Outbox } from "./outbox.ts";
import type { Policy } from "./policy.ts";
import { type RunOptions, runs } from "./run_iteration.ts";
import { kernelDropsOf, type SocketStats, statsOf } from "./stats.ts";
import { receive, tryReceive, type WaitOptions } from "./waits.ts";

/**
 * What {@linkcode DatagramSocket} and {@linkcode ConnectedSocket} have in
 * common: receiving, counting and closing.
 *
 * Giving up consumes no datagram: if a `receive` times out or is aborted, the
 * next one gets the datagram. Concurrent receivers are served in the order of
 * their calls. A socket reads only while the program waits for a datagram; at
 * other times the system's buffer holds what arrives, and when that is full the
 * system drops datagrams (see {@linkcode BaseSocket.kernelDrops}).
 */
export abstract class BaseSocket<A extends Addr>
  implements AsyncIterable<Datagram<A>>, Disposable, AsyncDisposable {
  /** The local address: as it was bound, with the port that the system chose. */
  readonly addr: A;
  /**
   * Resolves when the socket is open, which is almost always immediately. Rejects
   * if it could not be opened; then `receive` rejects too. Only a `unix:` path
   * that a crash left behind takes a moment to check.
   */
  readonly opened: Promise<void>;
  /** The clock of its timeouts: the carrier's, or the system's. */
  readonly clock: Clock;
  /**
   * The local address, which the program cannot change.
   * @internal
   */
  protected readonly local: Addr;
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
   * Answers that were withheld, by reason.
   * @internal
   */
  protected readonly withheld: Readonly<Record<string, number>> = {};
  #readable: ReadableStream<Datagram<A>> | undefined;
  readonly #closing: Closing<A>;

  /**
   * For the two kinds of sockets only.
   *
   * @param opening For the messages of errors: to open this socket.
   * @internal
   */
  protected constructor(
    carrier: Carrier,
    opening: Attempt,
    options: Read<SocketOptions>,
    policy: Omit<Policy<A>, "maxSize">,
  ) {
    const local = copyAddr(carrier.addr);
    const { remote } = opening;
    this.carrier = carrier;
    this.local = local;
    this.addr = copyAddr(local) as A;
    this.opened = opened(carrier, opening);
    this.clock = carrier.clock ?? systemClock;
    const action = `receive on ${formatAddress(local)}`;
    this.inbox = new Inbox<A>(carrier, { action, local, remote }, {
      ...policy,
      maxSize: maxSizeOf(opening, options, carrier),
    });
    this.outbox = new Outbox(carrier, local);
    this.#closing = new Closing(carrier, this.inbox, this.outbox);
  }

  /**
   * Waits for the next datagram.
   *
   * Cancellation: Giving up consumes no datagram.
   *
   * @param options `{ timeoutMs, signal }`: how long to wait.
   * @returns One datagram, marked `truncated` if it was longer than `maxSize`.
   * @throws {Deno.errors.TimedOut} No datagram arrived within `timeoutMs`.
   * @throws {SocketClosedError} The socket is closed, or was closed meanwhile.
   * @throws Any other error of the carrier, as the built-in class that fits; the
   * socket goes on. `signal.reason`, unchanged.
   */
  receive(options?: WaitOptions): Promise<Datagram<A>> {
    return receive(this.inbox, this.clock, options);
  }

  /**
   * Returns a datagram that has already arrived, without waiting. Finding out
   * that there is none takes a fraction of a millisecond.
   *
   * @returns The datagram, or `undefined` if there is none.
   * @throws {SocketClosedError} The socket is closed.
   */
  tryReceive(): Promise<Datagram<A> | undefined> {
    return tryReceive(this.inbox, this.clock);
  }

  /**
   * The datagrams as a stream. It reads nothing ahead: a datagram that is not
   * pulled stays for `receive`. A read that is left pending (`releaseLock`, or
   * `pipeTo` with `preventCancel`) takes one datagram, which the stream keeps for
   * its next reader. The stream ends when the socket is closed.
   * Canceling it leaves the socket open. An error of the carrier is an error of
   * the stream, and also leaves the socket open. After either, this property has
   * a new stream.
   *
   * Cancellation: Canceling the stream consumes no datagram.
   */
  get readable(): ReadableStream<Datagram<A>> {
    return this.#readable ??= readable(
      this.inbox,
      () => this.#readable = undefined,
    );
  }

  /**
   * Iterates over the datagrams until the socket is closed. `break` leaves the
   * socket open. An error of the carrier is thrown into the loop.
   *
   * Cancellation: Ending the loop consumes no datagram.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Datagram<A>> {
    return new Iteration(this.inbox);
  }

  /**
   * Iterates over the datagrams in batches: everything that has arrived, in
   * order, at least one datagram and at most `max`. A carrier that receives in
   * batches (`offload`) makes this much cheaper per datagram; over other
   * carriers most batches hold one datagram. `break` leaves the socket open.
   *
   * Cancellation: Giving up consumes no datagram.
   *
   * @param options `{ max, reuse, timeoutMs, signal }`: the longest batch,
   * whether the memory of a batch may be used again for the next one, and how
   * long to wait for each batch. When that time is over, `Deno.errors.TimedOut`
   * or `signal.reason` is thrown into the loop.
   * @throws {RangeError} An option is out of range.
   * @throws {TypeError} An option is of the wrong type.
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

  /**
   * Iterates over the datagrams in runs: datagrams of one peer and one length in
   * one piece, as the kernel delivers them (`offload`). That makes no object per
   * datagram, so it is the fastest way to receive. Over other carriers, while
   * others wait for a datagram too, and for what had arrived before, a run holds
   * one datagram. An empty datagram is a run of its own, and so is one that is
   * longer than `maxSize`; loops therefore go by `count`. `break` leaves the
   * socket open.
   *
   * Cancellation: Giving up consumes no datagram: those of runs that were not
   * yielded go to the next receiver.
   *
   * @param options `{ reuse, timeoutMs, signal }`: whether the memory of a run may
   * be used again for the next one, and how long to wait for each run. When that
   * time is over, `Deno.errors.TimedOut` or `signal.reason` is thrown into the
   * loop.
   * @throws {RangeError} An option is out of range.
   * @throws {TypeError} An option is of the wrong type.
   *
   * @example
   * ```ts
   * import { bind } from "@pli/datagram";
   *
   * await using socket = bind("udp://127.0.0.1:0");
   * await socket.sendRun(new Uint8Array(250), 100, socket.addr); // to itself
   * let datagrams = 0;
   * for await (const run of socket.runs()) {
   *   for (const bytes of run) console.log(bytes.length, run.from.port);
   *   datagrams += run.count;
   *   if (datagrams === 3) break;
   * }
   * ```
   */
  runs(options?: RunOptions): AsyncIterableIterator<ReceivedRun<A>> {
    return runs(this.inbox, this.clock, options);
  }

  /** What the socket has counted so far, as a copy that does not change. */
  get stats(): SocketStats {
    const { carrier, inbox, outbox, withheld } = this;
    const { counts, waiting } = inbox;
    return statsOf(carrier, counts, waiting, outbox.counts, withheld);
  }

  /**
   * Returns how many datagrams the system dropped at this socket because its
   * buffer was full. Linux reports this to programs with `--allow-run=cat` or all
   * permissions; it takes some milliseconds. A permission is never requested. Over
   * `offload` each count stands for 1 to 128 datagrams that arrived in one run: at
   * least that many were dropped.
   *
   * @returns The number since the socket was bound, or `undefined` if it is not
   * known: on other systems, over other carriers, without the permission, for a
   * closed socket, for an address that several sockets share, or because asking
   * failed. It never rejects.
   */
  async kernelDrops(): Promise<number | undefined> {
    const drops = this.#closing.hasBegun
      ? undefined
      : await kernelDropsOf(this.carrier);
    await dueTurn(this.clock);
    return drops;
  }

  /** Makes a waiting `receive` keep the program running. This is the default. */
  ref(): void {
    this.inbox.liveness.ref();
  }

  /** Allows the program to end although a `receive` waits. */
  unref(): void {
    this.inbox.liveness.unref();
  }

  /**
   * Closes the socket. Every `receive` and `request` that waits rejects with
   * {@linkcode SocketClosedError}, iterations and `readable` end, and datagrams
   * that wait to be received are counted as `dropped.closed`. A call
   * during a disposal makes it wait no longer; any other second call does nothing.
   * If a `receive` was waiting, the port is free one turn of the event loop later:
   * `await using` waits for that.
   *
   * @throws The error of the carrier's `close`. The socket is closed anyway.
   */
  close(): void {
    this.#closing.now();
  }

  /** Closes the socket, as {@linkcode BaseSocket.close} does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Sends the datagrams that wait to be sent, for at most 5 seconds, closes the
   * socket, and waits until the port is free. Meanwhile nothing more is received,
   * and further sends reject.
   *
   * @throws The error of the carrier. The socket is closed anyway.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closing.whenSent();
  }
}

/** Resolves when the carrier is open; `receive` reports the error as well. */
function opened(
  carrier: Carrier,
  { action, ...addresses }: Attempt,
): Promise<void> {
  if (carrier.opened === undefined) return Promise.resolve();
  const opened = carrier.opened.catch((error) => {
    throw failure(action, error, addresses);
  });
  opened.catch(() => {});
  return opened;
}
