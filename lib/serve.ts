import { type Addr, copyAddr, type NetAddr, type UnixAddr } from "./addr.ts";
import {
  requireFunction,
  requireOptions,
  requireSignal,
  wholeNumber,
} from "./check.ts";
import { Datagram } from "./datagram.ts";
import { bind, type BindOptions } from "./open.ts";
import type { DatagramSocket } from "./socket/datagram_socket.ts";
import type { Data } from "./socket/messages.ts";
import { PeerLines, settles } from "./socket/peer_lines.ts";
import { serveEach } from "./socket/pump.ts";
import { Received, type SocketStats } from "./socket/stats.ts";
import { reporter } from "./warnings.ts";

// How long a shutdown waits for answers after the last handler is done.
const ANSWERS_MS = 5000;

/** The result of a handler: a message to the datagram's sender, or nothing. */
export type Answer = Data | undefined | void;

/**
 * Called with each datagram. Its result is sent to the datagram's sender: `""` as
 * an empty datagram, `undefined` not at all. It may be asynchronous. An error
 * that it throws is reported to `onError`, and the server goes on. Changing the
 * datagram does not change where the answer is sent.
 */
export type DatagramHandler<A extends Addr = NetAddr> = (
  datagram: Datagram<A>,
) => Answer | Promise<Answer>;

/** How {@linkcode serve} serves. */
export interface ServeOptions<A extends Addr = NetAddr> extends BindOptions {
  /** Called once with the local address when the server listens. */
  onListen?: ((addr: A) => void) | undefined;
  /**
   * Called with the error of a handler or of an answer, and the datagram; or with
   * an error of the socket itself, without a datagram.
   * @default {prints it to the console}
   */
  onError?: ((error: unknown, datagram?: Datagram<A>) => void) | undefined;
  /** When it aborts, the server shuts down as `shutdown()` does. */
  signal?: AbortSignal | undefined;
  /**
   * How many handlers may run at the same time, until their answers are sent. At
   * that number the server stops reading, and the system's buffer holds what
   * arrives. With 1, answers are sent in the order of arrival. From 3 on, one
   * peer gets at most a quarter of them, rounded up, but 2 in any case: its
   * further datagrams wait, up to 4 MiB, and beyond that they are counted as
   * `dropped.busy`. The other peers are served meanwhile.
   * @default {1024}
   */
  maxConcurrent?: number | undefined;
}

/** A server that {@linkcode serve} started. */
export interface DatagramServer<A extends Addr = NetAddr>
  extends AsyncDisposable {
  /** The local address, with the port that the system chose. */
  readonly addr: A;
  /**
   * Resolves when the server has ended: the socket is closed and all handlers are
   * done. Rejects only if the socket could not be opened or closed, or if
   * `onListen` threw.
   */
  readonly finished: Promise<void>;
  /**
   * What its socket has counted so far. `dropped.busy` are datagrams of peers that
   * had too many at once (see `maxConcurrent`).
   */
  readonly stats: SocketStats;
  /**
   * Stops receiving, waits for the running handlers, then for their answers, at
   * most 5 seconds, and closes the socket. A handler must not await this: it would
   * wait for itself.
   *
   * @throws The errors of {@linkcode DatagramServer.finished}.
   */
  shutdown(): Promise<void>;
  /** Returns how many datagrams the system dropped: see `DatagramSocket`. */
  kernelDrops(): Promise<number | undefined>;
  /** Makes the server keep the program running. This is the default. */
  ref(): void;
  /** Allows the program to end although the server listens. */
  unref(): void;
}

/**
 * Receives datagrams at an address and calls a handler with each, up to
 * `maxConcurrent` at a time, until the server is shut down.
 *
 * @param address The local address, as in {@linkcode bind}.
 * @param handler Called with each datagram; its result is the answer.
 * @param options The callbacks, the limits, and the options of {@linkcode bind}.
 * @returns The server, which listens already.
 * @throws The errors of {@linkcode bind}.
 * @throws {RangeError} `maxConcurrent` is not a whole number from 1.
 * @throws {TypeError} The handler or an option is of the wrong type.
 *
 * @example
 * ```ts
 * import { serve } from "@pli/datagram";
 *
 * const server = serve(
 *   "udp://127.0.0.1:0",
 *   (datagram) => `echo: ${datagram.text()}`,
 *   { onListen: ({ port }) => console.log(`on port ${port}`) },
 * );
 * await server.shutdown();
 * ```
 */
export function serve(
  address: `unix:${string}` | UnixAddr,
  handler: DatagramHandler<UnixAddr>,
  options?: ServeOptions<UnixAddr>,
): DatagramServer<UnixAddr>;
/** Serves an address with a host and a port, or any text. */
export function serve(
  address: string | NetAddr,
  handler: DatagramHandler<NetAddr>,
  options?: ServeOptions<NetAddr>,
): DatagramServer<NetAddr>;
/** Serves an address of either kind, such as `parseAddress` returns. */
export function serve(
  address: NetAddr | UnixAddr,
  handler: DatagramHandler<NetAddr | UnixAddr>,
  options?: ServeOptions<NetAddr | UnixAddr>,
): DatagramServer<NetAddr | UnixAddr>;
export function serve<A extends Addr>(
  address: string | A,
  handler: DatagramHandler<A>,
  options: ServeOptions<A> = {},
): DatagramServer<A> {
  requireFunction("serve", "handler", handler);
  requireOptions("serve", options);
  const { onListen, onError, signal, maxConcurrent = 1024 } = options;
  for (const [name, value] of Object.entries({ onListen, onError })) {
    if (value !== undefined) requireFunction("serve", name, value);
  }
  requireSignal("serve", signal);
  wholeNumber("serve", "maxConcurrent", maxConcurrent, 1, Infinity);
  // The overloads above state which addresses give which kind of socket.
  const socket = bind(address as NetAddr, options) as unknown;
  return new Server(socket as DatagramSocket<A>, handler, {
    onListen,
    onError,
    signal,
    maxConcurrent,
  });
}

/** The options that concern the server itself. */
interface ServerOptions<A extends Addr>
  extends Pick<ServeOptions<A>, "onListen" | "onError" | "signal"> {
  maxConcurrent: number;
}

class Server<A extends Addr> implements DatagramServer<A> {
  readonly addr: A;
  readonly finished: Promise<void>;
  readonly #socket: DatagramSocket<A>;
  readonly #datagrams: AsyncIterableIterator<Datagram<A>>;
  readonly #handler: DatagramHandler<A>;
  readonly #report: (error: unknown, datagram?: Datagram<A>) => void;
  readonly #lines: PeerLines;
  readonly #busy = new Received();
  #handlers = 0;
  #handledAt = 0;

  constructor(
    socket: DatagramSocket<A>,
    handler: DatagramHandler<A>,
    options: ServerOptions<A>,
  ) {
    this.addr = socket.addr;
    this.#socket = socket;
    this.#datagrams = socket[Symbol.asyncIterator]();
    this.#handler = handler;
    this.#report = reporter(options.onError);
    this.#lines = new PeerLines(options.maxConcurrent, socket.clock);
    this.finished = this.#run(options);
  }

  get stats(): SocketStats {
    const { received, bytes, truncated, dropped, ...others } =
      this.#socket.stats;
    const busy = this.#busy;
    return {
      ...others,
      received: received - busy.received,
      bytes: bytes - busy.bytes,
      truncated: truncated - busy.truncated,
      dropped: { ...dropped, busy: busy.received },
    };
  }

  shutdown(): Promise<void> {
    this.#datagrams.return?.();
    return this.finished;
  }

  kernelDrops(): Promise<number | undefined> {
    return this.#socket.kernelDrops();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #run(options: ServerOptions<A>): Promise<void> {
    await using socket = this.#socket;
    await serveEach(
      socket,
      this.#datagrams,
      options,
      (datagram) => this.#start(datagram),
      this.#report,
    );
    await this.#settle(socket);
  }

  /** Starts a handler. Waits only if no other one may run at the same time. */
  #start(datagram: Datagram<A>): Promise<void> | undefined {
    this.#lines.add({
      peer: datagram.from,
      size: datagram.data.length,
      run: () => this.#handle(datagram),
      drop: () => this.#busy.count(datagram),
    });
    return this.#lines.room();
  }

  async #handle(datagram: Datagram<A>): Promise<void> {
    // The handler may change the datagram.
    const { data, from, truncated } = datagram;
    const received = new Datagram(data, copyAddr(from), truncated, datagram);
    try {
      const answer = await this.#answerTo(datagram);
      if (answer !== undefined) await this.#socket.answer(answer, received);
    } catch (error) {
      this.#report(error, datagram);
    }
  }

  async #answerTo(datagram: Datagram<A>): Promise<Answer> {
    this.#handlers++;
    try {
      return await this.#handler(datagram);
    } finally {
      this.#handlers--;
      this.#handledAt = this.#socket.clock.now();
    }
  }

  /** Waits for the handlers. A peer that takes no answers is not waited for. */
  async #settle(socket: DatagramSocket<A>): Promise<void> {
    const { clock } = socket;
    const idle = this.#lines.idle();
    while (!await settles(idle, ANSWERS_MS, clock)) {
      const isLate = clock.now() - this.#handledAt >= ANSWERS_MS;
      if (this.#handlers > 0 || !isLate) continue;
      this.#lines.clear();
      return socket.close();
    }
  }
}
