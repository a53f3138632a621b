import type { Addr, NetAddr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import { BaseSocket, type SocketOptions } from "./base_socket.ts";
import type { Carrier } from "../carrier.ts";
import { milliseconds } from "../check.ts";
import { Datagram } from "../datagram.ts";
import { errors, MessageTooLargeError, SocketClosedError } from "../errors.ts";
import { comparableHost } from "../address/host.ts";
import { Warnings } from "../warnings.ts";
import type { Data } from "./outbox.ts";
import { type Addressed, sendMany } from "./send_many.ts";
import { onAbort, type WaitOptions } from "./waits.ts";

/** How {@linkcode ConnectedSocket.request} waits for its reply. */
export interface RequestOptions<A extends Addr = NetAddr> {
  /**
   * Milliseconds to wait after each sending, 0 to 2^31 - 1, or `Infinity`.
   * @default {1000}
   */
  timeoutMs?: number;
  /** How many times to send it again when no reply came. @default {0} */
  retries?: number;
  /**
   * Which datagram is the reply. Put a number into the request and look for it
   * here: nothing else tells a late reply to an earlier request apart.
   * @default {any datagram of the peer that comes from now on}
   */
  match?: (datagram: Datagram<A>) => boolean;
  /** When it aborts, the promise rejects with `signal.reason` as it is. */
  signal?: AbortSignal;
}

/**
 * A socket for one peer (one-to-one): made by {@linkcode connect}, it sends to
 * that peer and delivers only what came from its address. Others' datagrams are
 * counted as `dropped.stranger`. Over UDP a source can be forged, so this keeps
 * accidents out, not attackers.
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
  /** The peer, its name looked up. */
  readonly remote: A;
  /**
   * Called with the error of each message that went into `writable` and could
   * not be sent. A failed send does not end the stream.
   * @default {prints the first of a run of failures to the console}
   */
  onSendError: (error: Error) => void = ({ message }) =>
    this.#warnings.once("send", message);
  #writable: WritableStream<Data | Datagram> | undefined;
  readonly #warnings = new Warnings();

  /**
   * A socket over a carrier that is open already. The socket closes it.
   *
   * @param remote The peer to send to and to hear.
   * @throws {RangeError} `maxSize` is no whole number from 0 to 64 MiB.
   */
  constructor(carrier: Carrier, remote: A, options?: SocketOptions) {
    const isPeer = isFrom(remote);
    super(carrier, options, (from) => isPeer(from) ? undefined : "stranger");
    this.remote = remote;
  }

  /**
   * Sends one datagram to the peer. That it resolves says that the system took
   * it, not that it arrived.
   *
   * @param data Bytes as they are, or text as UTF-8; empty is a datagram too.
   * Leave the bytes unchanged until the promise resolves.
   * @param options `{ timeoutMs, signal }`. What is given up may yet arrive. To
   * a `unix:` peer that does not read, `timeoutMs` is 1000 unless given.
   * @throws {MessageTooLargeError} Over 65,507 bytes for IPv4, 65,527 for IPv6,
   * or what the carrier says; nothing was sent.
   * @throws {SocketClosedError} The socket is closed.
   * @throws Whatever else the carrier reports, as the built-in class that fits;
   * the socket goes on. Each rejection is counted in `stats.sendFailed`.
   */
  send(data: Data, options?: WaitOptions): Promise<void> {
    return this.outbox.send(data, this.remote, options);
  }

  /**
   * Sends messages, each as one datagram, in order. Over a carrier that sends by
   * the batch (`offload`) that costs far less a datagram, most of all for equal
   * lengths in a row to one peer; over any other they are sent one by one. One
   * that cannot be sent holds up no other. Other sends may go in between.
   *
   * @param messages As in {@linkcode ConnectedSocket.send}. The iterable is
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
  sendMany(messages: Iterable<Data>, options?: WaitOptions): Promise<number> {
    const { outbox, carrier, clock, remote } = this;
    const inBatches = carrier.sendBatch !== undefined;
    const addressed = toAll(messages, remote);
    return sendMany(outbox, addressed, inBatches, clock, options);
  }

  /**
   * Sends a message and waits for its reply; when none comes, sends it again.
   * While it waits, a datagram that `match` takes goes to it before any
   * `receive`; what it does not take goes to the next `receive`, and up to 256
   * such datagrams wait for one.
   *
   * @throws {Deno.errors.TimedOut} No reply after the last retry.
   * @throws {MessageTooLargeError} The message is too long; nothing was sent.
   * @throws {SocketClosedError} The socket is closed, or was closed meanwhile.
   * @throws {RangeError} `timeoutMs` or `retries` is out of range.
   * @throws What the last send failed with, where that is why no reply came;
   * what `match` throws; `signal.reason` as it is.
   */
  request(
    data: Data,
    options: RequestOptions<A> = {},
  ): Promise<Datagram<A>> {
    const { timeoutMs = 1000, retries = 0, match = () => true, signal } =
      options;
    return new Promise((resolve, reject) => {
      const limit = milliseconds("request", "timeoutMs", timeoutMs);
      if (!Number.isInteger(retries) || retries < 0) {
        throw new RangeError(
          `Cannot request: retries must be a whole number from 0: given ${retries}`,
        );
      }
      signal?.throwIfAborted();

      let sendings = 0;
      let sendError: unknown;
      let ended = false;
      let cancel: (() => void) | undefined;
      const stop = () => {
        ended = true;
        cancel?.();
        unlisten?.();
      };
      const waiter = { resolve, reject, match, stop };
      const giveUp = (reason: unknown) => {
        this.inbox.withdraw(waiter);
        reject(reason);
      };
      const unlisten = signal && onAbort(signal, giveUp);
      const attempt = () => {
        const sending = ++sendings;
        sendError = undefined;
        this.send(data).catch((error) => {
          if (isFinal(error)) giveUp(error);
          else if (sending === sendings) sendError = error;
        });
        if (limit !== undefined) cancel = this.clock.after(limit, next);
        if (ended) cancel?.();
      };
      const next = () => {
        if (sendings <= retries) attempt();
        else giveUp(sendError ?? this.#noReply(sendings, timeoutMs));
      };
      if (this.inbox.wait(waiter)) attempt();
    });
  }

  /**
   * A stream of messages to the peer; it takes datagrams too, so that one
   * socket's `readable` pipes into another's `writable`. A message that cannot
   * be sent is counted and reported to `onSendError`, and the stream goes on;
   * only closing the socket makes it fail. Closing the stream leaves the socket
   * open, and there is a new stream here.
   */
  get writable(): WritableStream<Data | Datagram> {
    return this.#writable ??= new WritableStream({
      write: async (message) => {
        try {
          await this.send(
            message instanceof Datagram ? message.data : message,
          );
          this.#warnings.over("send");
        } catch (error) {
          if (error instanceof SocketClosedError) throw error;
          this.onSendError(error as Error);
        }
      },
      close: () => void (this.#writable = undefined),
      abort: () => void (this.#writable = undefined),
    });
  }

  #noReply(sendings: number, timeoutMs: number): Error {
    const again = sendings === 1 ? "" : `, sent ${sendings} times`;
    return new errors.TimedOut(
      `Cannot request from ${
        formatAddress(this.remote)
      }: no reply within ${timeoutMs} ms${again}`,
    );
  }
}

function* toAll(messages: Iterable<Data>, to: Addr): Iterable<Addressed> {
  for (const data of messages) yield { data, to };
}

/** Whether sending it again cannot help. */
function isFinal(error: unknown): boolean {
  return error instanceof MessageTooLargeError ||
    error instanceof SocketClosedError || error instanceof TypeError ||
    error instanceof errors.NotCapable;
}

function isFrom(remote: Addr): (from: Addr) => boolean {
  if (!("hostname" in remote)) return () => true;
  const { hostname, port } = remote;
  const host = comparableHost(hostname);
  return (from) =>
    "hostname" in from && from.port === port &&
    (from.hostname === hostname || comparableHost(from.hostname) === host);
}
