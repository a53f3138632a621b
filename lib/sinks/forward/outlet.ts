import { type Addr, isConnected, type NetAddr } from "../../addr.ts";
import { formatAddress } from "../../address/address.ts";
import { comparableHost, isLoopback } from "../../address/host.ts";
import type { CarrierSource } from "../../carrier.ts";
import type { Clock } from "../../clock.ts";
import { isClosed } from "../../errors.ts";
import { connect } from "../../open.ts";
import type { ConnectedSocket } from "../../socket/connected_socket.ts";
import type { DatagramSocket } from "../../socket/datagram_socket.ts";
import { type Destination, isUdp } from "./destination.ts";

// How long connecting may take.
const CONNECT_MS = 10_000;
// A persistent error makes no busy loop.
const PAUSE_MS = 100;

/** What messages leave by, to one destination. */
export interface Outlet {
  /** Why nothing more can be sent, if that is so. */
  readonly failure: unknown;
  /** Sends one message. */
  send(data: Uint8Array): Promise<void>;
  /**
   * Ends it when what was sent has left.
   *
   * @returns How many messages the peer is known not to have confirmed.
   */
  end(): Promise<number>;
  /** Ends it at once. */
  close(): void;
}

/** What an outlet is opened for. */
export interface OutletOptions {
  readonly destination: Destination;
  /** The socket whose messages are forwarded. */
  readonly socket: DatagramSocket<Addr>;
  readonly carrier: CarrierSource | undefined;
  readonly signal: AbortSignal;
  /** Called for each message that came back, and was dropped. */
  readonly onReply: () => void;
  /** Called when `failure` is there. */
  readonly onFailure: () => void;
}

/**
 * Opens the outlet to a destination. Over UDP messages leave from the socket that
 * received them, if it can reach the destination: a server there that forwards
 * them to this one then shows that it is the destination.
 *
 * @throws {InvalidAddressError} The destination is the socket itself.
 * @throws What `connect` throws.
 */
export async function openOutlet(options: OutletOptions): Promise<Outlet> {
  const { destination, socket, carrier, signal } = options;
  const { address } = destination;
  const hosts = await destination.hosts();
  signal.throwIfAborted();
  if (!isUdp(address)) {
    // By its name: certificates are for names.
    const peer = await connect(formatAddress(address), {
      carrier,
      signal,
      timeoutMs: CONNECT_MS,
    });
    return ConnectedOutlet.open(peer, options);
  }
  const { port } = address;
  const own = hosts.find((host) => reaches(socket.addr, host));
  if (own !== undefined && carrier === undefined) {
    return new OwnOutlet(socket, { transport: "udp", hostname: own, port });
  }
  const [hostname = address.hostname] = hosts;
  const to: NetAddr = { transport: "udp", hostname, port };
  const peer = await connect(to, { carrier, signal, timeoutMs: CONNECT_MS });
  return ConnectedOutlet.open(peer, options);
}

/** Whether a socket can send to that host, by what it is bound to. */
function reaches(own: Addr, host: string): boolean {
  if (!isUdp(own)) return false;
  const bound = comparableHost(own.hostname);
  const plain = comparableHost(host);
  if (bound.includes(":") !== plain.includes(":")) return false;
  return bound === "0.0.0.0" || bound === "::" ||
    isLoopback(bound) === isLoopback(plain);
}

/** The socket that received the messages. */
class OwnOutlet implements Outlet {
  readonly failure = undefined;
  readonly #socket: DatagramSocket<Addr>;
  readonly #to: NetAddr;

  constructor(socket: DatagramSocket<Addr>, to: NetAddr) {
    this.#socket = socket;
    this.#to = to;
  }

  send(data: Uint8Array): Promise<void> {
    return this.#socket.send(data, this.#to);
  }

  end(): Promise<number> {
    return Promise.resolve(0);
  }

  /** It is not its own. */
  close(): void {}
}

/** A socket for this destination only. */
class ConnectedOutlet implements Outlet {
  readonly #socket: ConnectedSocket;
  readonly #options: OutletOptions;
  #failure: unknown;
  #isEnding = false;

  static open(
    socket: ConnectedSocket,
    options: OutletOptions,
  ): ConnectedOutlet {
    try {
      options.destination.connected(socket.remote, socket.addr);
      options.signal.throwIfAborted();
      return new ConnectedOutlet(socket, options);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  constructor(socket: ConnectedSocket, options: OutletOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#drain(socket.clock);
  }

  get failure(): unknown {
    return this.#failure;
  }

  async send(data: Uint8Array): Promise<void> {
    await this.#socket.send(data);
  }

  async end(): Promise<number> {
    this.#isEnding = true;
    await this.#socket[Symbol.asyncDispose]();
    return this.#socket.stats.dropped["unconfirmed"] ?? 0;
  }

  close(): void {
    this.#isEnding = true;
    try {
      this.#socket.close();
    } catch {
      // It is closed anyway.
    }
  }

  /**
   * Reads what the destination sends, which would otherwise stop reading in the
   * end, and notices at once when a connection has ended.
   */
  async #drain(clock: Clock): Promise<void> {
    const { onReply, onFailure, destination } = this.#options;
    // A socket to a path only sends.
    if ("path" in destination.address) return;
    for (;;) {
      try {
        await this.#socket.receive();
        onReply();
      } catch (error) {
        if (this.#isEnding) return;
        if (isConnected(destination.address)) {
          this.#failure = error;
          return onFailure();
        }
        if (isClosed(error)) return;
        await new Promise<void>((go) => void clock.after(PAUSE_MS, go));
      }
    }
  }
}
