import { type Addr, copyAddr, type NetAddr, quickAddr } from "../addr.ts";
import { formatAddress, isAddress } from "../address/address.ts";
import { comparableHost } from "../address/host.ts";
import type { Carrier } from "../carrier.ts";
import { requireFunction, wrongType } from "../check.ts";
import { Datagram } from "../datagram.ts";
import { type Attempt, SocketClosedError } from "../errors.ts";
import { ReceivedRun } from "../run.ts";
import { reporter, Warnings } from "../warnings.ts";
import { BaseSocket } from "./base_socket.ts";
import { readSocketOptions, type SocketOptions } from "./options.ts";
import type { Data } from "./messages.ts";
import { requireCarrier } from "./require_carrier.ts";
import { request, type RequestOptions } from "./request.ts";
import { sendMany } from "./send_many.ts";
import { sendRun } from "./send_run.ts";
import type { WaitOptions } from "./waits.ts";

/**
 * A socket for one peer (one-to-one), made by {@linkcode connect}. It sends to
 * that peer and delivers only datagrams from the peer's address. Datagrams from
 * elsewhere are counted as `dropped.stranger`. Over UDP a source can be forged,
 * so this keeps out accidents, not attackers.
 *
 * @example
 * ```ts
 * import { connect, serve } from "@pli/datagram";
 *
 * await using server = serve("udp://127.0.0.1:0", (d) => `echo: ${d.text()}`);
 * await using client = await connect(server.addr);
 * const reply = await client.request("ping", { timeoutMs: 200, retries: 3 });
 * console.log(reply.text()); // echo: ping
 * ```
 */
export class ConnectedSocket<A extends Addr = NetAddr> extends BaseSocket<A> {
  /** The address of the peer, its name looked up. */
  readonly remote: A;
  /**
   * Called with the error of each message that was written to `writable` and
   * could not be sent. Neither a failed send nor an error of this callback ends
   * the stream.
   * @default {prints the first of several failures in a row to the console}
   */
  get onSendError(): (error: Error) => void {
    return this.#onSendError;
  }
  set onSendError(callback: (error: Error) => void) {
    requireFunction(this.outbox.attempt, "onSendError", callback);
    this.#onSendError = callback;
  }
  #onSendError = ({ message }: Error): void =>
    this.#warnings.once("send", message);
  // `remote` can be changed by the program.
  readonly #remote: A;
  readonly #requesting: Attempt;
  #writable: WritableStream<Data | Datagram | ReceivedRun> | undefined;
  readonly #warnings = new Warnings();
  readonly #report = reporter((error: unknown) =>
    this.#onSendError(error as Error)
  );

  /**
   * Makes a socket over a carrier that is already open. Closing the socket closes
   * the carrier.
   *
   * @param carrier The carrier.
   * @param remote The peer to send to and to receive from.
   * @param options `{ maxSize }`.
   * @throws {RangeError} `maxSize` is not a whole number from 0 to 64 MiB.
   * @throws {TypeError} The carrier or the address is of the wrong type.
   */
  constructor(carrier: Carrier, remote: A, options: SocketOptions = {}) {
    requireCarrier("connect", carrier);
    if (!isAddress(remote)) {
      throw wrongType("connect", "the remote address", "an address", remote);
    }
    const peer = copyAddr(remote);
    const text = formatAddress(peer);
    const local = copyAddr(carrier.addr);
    const opening = { action: `connect to ${text}`, local, remote: peer };
    const read = readSocketOptions(opening, options);
    const isPeer = isFrom(peer);
    super(
      carrier,
      opening,
      read,
      { refuses: (from) => isPeer(from) ? undefined : "stranger" },
    );
    this.remote = copyAddr(peer);
    this.#remote = peer;
    this.#requesting = { action: `request from ${text}`, local, remote: peer };
  }

  /**
   * Sends one datagram to the peer. When the promise resolves, the system has
   * accepted the datagram; that does not mean that it has arrived.
   *
   * Cancellation: A datagram that was given up on may still arrive.
   *
   * @param data Bytes as they are, or text as UTF-8. Empty data is an empty
   * datagram. Leave the bytes unchanged until the promise resolves.
   * @param options `{ timeoutMs, signal }`: how long to wait for the system. To
   * a `unix:` peer the default of `timeoutMs` is 1000.
   * @throws {MessageTooLargeError} `data` is longer than 65,507 bytes for IPv4,
   * 65,527 for IPv6, or the carrier's limit; nothing was sent.
   * @throws {SocketClosedError} The socket is closed.
   * @throws {Deno.errors.TimedOut} The system did not accept it in time.
   * @throws Any other error of the carrier, as the built-in class that fits; the
   * socket goes on. Each rejection is counted in `stats.sendFailed`.
   */
  send(data: Data, options?: WaitOptions): Promise<void> {
    return this.outbox.send(data, this.#remote, options);
  }

  /**
   * Sends messages in order, each as one datagram. A carrier that sends in
   * batches (`offload`) makes this much cheaper per datagram, most of all for
   * messages of equal length; over other carriers the messages are sent one by
   * one. A message that cannot be sent does not stop the others. Other sends may
   * go in between.
   *
   * Cancellation: No more messages are read. Those that were read may still
   * arrive.
   *
   * @param messages As in {@linkcode ConnectedSocket.send}. They are read while
   * they are sent, so the iterable may be endless. Leave the bytes unchanged
   * until the promise resolves.
   * @param options `{ timeoutMs, signal }`, for all messages together.
   * @returns How many messages were sent: all.
   * @throws {AggregateError} Some messages could not be sent. It has the errors
   * of the first 16; each is counted in `stats.sendFailed`.
   * @throws {SocketClosedError} The socket is closed, or was closed meanwhile.
   * @throws {Deno.errors.TimedOut} Not all were sent within `timeoutMs`.
   * @throws Whatever the iterable throws, and `signal.reason`, unchanged.
   */
  async sendMany(
    messages: (Iterable<Data> & object) | AsyncIterable<Data>,
    options?: WaitOptions,
  ): Promise<number> {
    const { outbox, clock } = this;
    return await sendMany(outbox, messages, clock, options, this.#remote);
  }

  /**
   * Sends the datagrams of a run in order: the bytes of `data`, of which
   * each `segmentSize` are one datagram, and the rest is the last one. A carrier
   * that sends in batches (`offload`) gives the kernel up to 128 of them in one
   * piece; over other carriers they are sent one by one. Sends to the peer
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
   * @param options `{ timeoutMs, signal }`, for all datagrams together. To a
   * `unix:` peer the default of `timeoutMs` is 1000.
   * @returns How many datagrams were sent: all.
   * @throws {MessageTooLargeError} `segmentSize` is larger than 65,507 bytes for
   * IPv4, 65,527 for IPv6, or the carrier's limit; nothing was sent.
   * @throws {RangeError} `segmentSize` is not a whole number from 1; nothing was
   * sent.
   * @throws {SocketClosedError} The socket is closed, or was closed meanwhile.
   * @throws {Deno.errors.TimedOut} Not all were sent within `timeoutMs`.
   * @throws Any other error of the carrier, as the built-in class that fits; the
   * socket goes on. `signal.reason`, unchanged and without `sent`.
   */
  sendRun(
    data: Data,
    segmentSize: number,
    options?: WaitOptions,
  ): Promise<number> {
    const { outbox, clock } = this;
    const to = this.#remote;
    return sendRun(outbox, clock, data, segmentSize, to, options);
  }

  /**
   * Sends a message and waits for the reply; if there is none, sends it again. A
   * datagram for which `match` returns true goes to this request before any
   * `receive`. Any other datagram goes to the next `receive`; up to 256 of them
   * are kept.
   *
   * Cancellation: Giving up consumes no datagram; the request may still arrive.
   *
   * @param data As in {@linkcode ConnectedSocket.send}.
   * @param options `{ timeoutMs, retries, backoff, match, signal }`: how long to
   * wait after each send, how often to send again, how the waits grow, and which
   * datagram is the reply.
   * @returns The reply.
   * @throws {Deno.errors.TimedOut} There was no reply after the last send.
   * @throws {MessageTooLargeError} The message is too long; nothing was sent.
   * @throws {SocketClosedError} The socket is closed, or was closed meanwhile.
   * @throws {RangeError} `timeoutMs`, `retries` or a number of `backoff` is out
   * of range.
   * @throws {TypeError} An option is of the wrong type.
   * @throws The error of the last send, if that is why there was no reply.
   * @throws Whatever `match` throws, and `signal.reason`, unchanged.
   */
  request(data: Data, options?: RequestOptions<A>): Promise<Datagram<A>> {
    const { inbox, clock, outbox: { random } } = this;
    const attempt = this.#requesting;
    const send = () => this.send(data);
    return request({ inbox, clock, random, attempt, send }, options);
  }

  /**
   * A stream that sends each chunk as one datagram to the peer. It takes
   * datagrams too, so that the `readable` of one socket pipes into the
   * `writable` of another, and runs, which it sends by
   * {@linkcode ConnectedSocket.sendRun}: `ReadableStream.from(socket.runs())`
   * pipes all that arrives without an object per datagram. A message that cannot be sent is counted and reported
   * to `onSendError`, and the stream goes on: only closing the socket makes it
   * fail. Closing the stream leaves the socket open; this property then has a
   * new stream.
   */
  get writable(): WritableStream<Data | Datagram | ReceivedRun> {
    return this.#writable ??= new WritableStream({
      write: async (message) => {
        try {
          if (message instanceof ReceivedRun) {
            await this.sendRun(message.data, message.segmentSize);
          } else {
            const isDatagram = message instanceof Datagram;
            await this.send(isDatagram ? message.data : message);
          }
          this.#warnings.over("send");
        } catch (error) {
          if (error instanceof SocketClosedError) throw error;
          this.#report(error);
        }
      },
      close: () => void (this.#writable = undefined),
      abort: () => void (this.#writable = undefined),
    });
  }
}

function isFrom(remote: Addr): (from: Addr) => boolean {
  if (!("hostname" in remote)) return () => true;
  const { hostname, port } = remote;
  const host = comparableHost(hostname);
  return (from) => {
    if (!("hostname" in from)) return false;
    const sender = quickAddr(from);
    return sender.port === port &&
      (sender.hostname === hostname ||
        comparableHost(sender.hostname) === host);
  };
}
