import type { NetAddr } from "../addr.ts";
import type { CarrierSource } from "../carrier.ts";
import { bind } from "../open.ts";
import { performance } from "../platform.ts";
import type { ReceivedRun } from "../run.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import { pump } from "../socket/pump.ts";

/** What {@linkcode Fronts} needs from its relay. */
export interface FrontsOptions {
  /** The server's port. */
  readonly port: number;
  readonly carrier: CarrierSource | undefined;
  /** How many sockets there may be besides the first one. */
  readonly limit: number;
  /** Called with the datagrams of a client, and the server's port they go to. */
  readonly receive: (
    run: ReceivedRun<NetAddr>,
    port: number,
  ) => Promise<void> | void;
  readonly report: (error: unknown) => void;
}

/** A socket that clients see, for a port of the server. */
export interface Front {
  readonly socket: DatagramSocket;
  readonly port: number;
  readonly running: Promise<void>;
  lastUsed: number;
}

/**
 * The sockets that clients see: one for each port from which the server sends.
 * A server that answers from another port (TFTP does, RFC 1350, section 4) so
 * has another port at the relay too, as behind a full-cone NAT, and the client's
 * answers to it reach that port of the server.
 */
export class Fronts {
  readonly #options: FrontsOptions;
  readonly #fronts = new Map<number, Front>();
  readonly #closing = new Set<Promise<void>>();
  #closed = false;

  constructor(first: DatagramSocket, options: FrontsOptions) {
    this.#options = options;
    this.#add(first, options.port);
  }

  /** The addresses of all open sockets. */
  get addresses(): NetAddr[] {
    return Array.from(this.#fronts.values(), ({ socket }) => socket.addr);
  }

  /**
   * Returns the socket for a port of the server, or `undefined` if there are too
   * many, or it cannot be opened, which is reported.
   */
  at(port: number): Front | undefined {
    let front = this.#fronts.get(port);
    if (front === undefined) {
      front = this.#open(port);
      if (front === undefined) return undefined;
    }
    front.lastUsed = performance.now();
    return front;
  }

  /** Closes the sockets that were last used before that, but for the first. */
  expire(oldest: number): void {
    for (const [port, { lastUsed }] of this.#fronts) {
      if (port !== this.#options.port && lastUsed < oldest) this.#close(port);
    }
  }

  /** Closes all sockets. Resolves when nothing more is received. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const port of this.#fronts.keys()) this.#close(port);
    await Promise.all(this.#closing);
  }

  #open(port: number): Front | undefined {
    const { limit, carrier, report } = this.#options;
    if (this.#closed || this.#fronts.size > limit) return undefined;
    const [first] = this.addresses;
    try {
      return this.#add(bind({ ...first!, port: 0 }, { carrier }), port);
    } catch (error) {
      report(error);
      return undefined;
    }
  }

  #add(socket: DatagramSocket, port: number): Front {
    const { receive, report } = this.#options;
    const front = {
      socket,
      port,
      lastUsed: performance.now(),
      running: pump(
        socket.runs(),
        socket.clock,
        (run) => {
          front.lastUsed = performance.now();
          return receive(run, port);
        },
        report,
      ),
    };
    this.#fronts.set(port, front);
    return front;
  }

  #close(port: number): void {
    const front = this.#fronts.get(port);
    if (front === undefined) return;
    this.#fronts.delete(port);
    const closing = (async () => {
      await front.socket[Symbol.asyncDispose]();
      await front.running;
    })().catch(this.#options.report).finally(() => {
      this.#closing.delete(closing);
    });
    this.#closing.add(closing);
  }
}
