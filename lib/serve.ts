import type { Addr, NetAddr, UnixAddr } from "./addr.ts";
import type { Datagram } from "./datagram.ts";
import type { DatagramSocket } from "./socket/datagram_socket.ts";
import type { SocketStats } from "./socket/base_socket.ts";
import { pump } from "./socket/pump.ts";
import { reporter } from "./warnings.ts";
import { bind, type BindOptions } from "./open.ts";
import type { Data } from "./socket/outbox.ts";

/** What a handler answers: a message to the datagram's sender, or nothing. */
export type Answer = Data | undefined | void;

/**
 * Called with each datagram. What it gives is sent to the datagram's sender:
 * `""` an empty datagram, `undefined` nothing. It may be asynchronous, and may
 * throw: that is reported to `onError`, and the server goes on.
 */
export type DatagramHandler<A extends Addr = NetAddr> = (
  datagram: Datagram<A>,
) => Answer | Promise<Answer>;

/** How {@linkcode serve} serves. */
export interface ServeOptions<A extends Addr = NetAddr> extends BindOptions {
  /** Called once with the local address when the server listens. */
  onListen?: (addr: A) => void;
  /**
   * Called with what a handler threw or an answer failed with, and the datagram;
   * or with an error of the socket itself, and no datagram.
   * @default {prints it to the console}
   */
  onError?: (error: unknown, datagram?: Datagram<A>) => void;
  /** When it aborts, the server shuts down as by `shutdown()`. */
  signal?: AbortSignal;
  /**
   * How many handlers may be at work. At that number the server stops reading
   * and the system's buffer takes what comes; 1 answers in order of arrival.
   * @default {1024}
   */
  maxConcurrent?: number;
}

/** A server that {@linkcode serve} started. */
export interface DatagramServer<A extends Addr = NetAddr>
  extends AsyncDisposable {
  /** The local address, with the port that the system chose. */
  readonly addr: A;
  /**
   * Resolves when the server has ended: the socket closed, all handlers done.
   * Rejects only when the socket could not be opened or closed, or `onListen`
   * threw.
   */
  readonly finished: Promise<void>;
  /** What its socket has counted so far. */
  readonly stats: SocketStats;
  /** Stops receiving, waits for the handlers at work and their answers, closes. */
  shutdown(): Promise<void>;
  /** See `DatagramSocket.kernelDrops`. */
  kernelDrops(): Promise<number | undefined>;
  /** Keeps the program running, as it does at first. */
  ref(): void;
  /** Lets the program end although the server listens. */
  unref(): void;
}

/**
 * Receives datagrams at an address and calls the handler with each, up to
 * `maxConcurrent` at a time, until it is shut down.
 *
 * @throws What {@linkcode bind} throws.
 * @throws {RangeError} `maxConcurrent` is no whole number from 1.
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
/** The same, for `udp://` addresses and for those that are text of any kind. */
export function serve(
  address: string | NetAddr,
  handler: DatagramHandler<NetAddr>,
  options?: ServeOptions<NetAddr>,
): DatagramServer<NetAddr>;
export function serve<A extends Addr>(
  address: string | A,
  handler: DatagramHandler<A>,
  options: ServeOptions<A> = {},
): DatagramServer<A> {
  const { maxConcurrent = 1024 } = options;
  if (
    !(Number.isInteger(maxConcurrent) || maxConcurrent === Infinity) ||
    maxConcurrent < 1
  ) {
    throw new RangeError(
      `Cannot serve: maxConcurrent must be a whole number from 1, or Infinity: given ${maxConcurrent}`,
    );
  }
  // The overloads above say which kind of address gives which kind of socket.
  const socket = bind(address as NetAddr, options) as unknown;
  return new Server(socket as DatagramSocket<A>, handler, {
    ...options,
    maxConcurrent,
  });
}

class Server<A extends Addr> implements DatagramServer<A> {
  readonly addr: A;
  readonly finished: Promise<void>;
  readonly #socket: DatagramSocket<A>;
  readonly #datagrams: AsyncIterableIterator<Datagram<A>>;
  readonly #handler: DatagramHandler<A>;
  readonly #report: (error: unknown, datagram?: Datagram<A>) => void;
  readonly #maxConcurrent: number;
  #atWork = 0;
  #onHandled: (() => void) | undefined;

  constructor(
    socket: DatagramSocket<A>,
    handler: DatagramHandler<A>,
    options: ServeOptions<A> & { maxConcurrent: number },
  ) {
    this.addr = socket.addr;
    this.#socket = socket;
    this.#datagrams = socket[Symbol.asyncIterator]();
    this.#handler = handler;
    this.#report = reporter(options.onError);
    this.#maxConcurrent = options.maxConcurrent;
    this.finished = this.#run(options);
  }

  get stats(): SocketStats {
    return this.#socket.stats;
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

  async #run({ onListen, signal }: ServeOptions<A>): Promise<void> {
    const stop = () => void this.shutdown();
    await using socket = this.#socket;
    await socket.opened;
    onListen?.(this.addr);
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) this.#datagrams.return?.();
    await pump(
      this.#datagrams,
      socket.clock,
      (datagram) => this.#start(datagram),
      this.#report,
    );
    while (this.#atWork > 0) await this.#handled();
    signal?.removeEventListener("abort", stop);
  }

  /** Waits only if no other handler may be at work. */
  #start(datagram: Datagram<A>): Promise<void> | undefined {
    this.#handle(datagram);
    if (this.#atWork >= this.#maxConcurrent) return this.#room();
  }

  async #room(): Promise<void> {
    while (this.#atWork >= this.#maxConcurrent) await this.#handled();
  }

  async #handle(datagram: Datagram<A>): Promise<void> {
    this.#atWork++;
    try {
      const answer = await this.#handler(datagram);
      if (answer !== undefined) {
        await this.#socket.answer(answer, datagram);
      }
    } catch (error) {
      this.#report(error, datagram);
    }
    this.#atWork--;
    this.#onHandled?.();
  }

  #handled(): Promise<void> {
    return new Promise((resolve) => this.#onHandled = resolve);
  }
}
