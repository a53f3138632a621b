import type { NetAddr, SchemeAddr, UnixAddr } from "./addr.ts";
import { formatAddress, toAddress, toDestination } from "./address/address.ts";
import type { Carrier, CarrierSource, DialOptions } from "./carrier.ts";
import { systemClock } from "./clock.ts";
import { type Attempt, errors, failure } from "./errors.ts";
import type { AnswerOptions } from "./limits/answers.ts";
import type { GuardOptions } from "./limits/guard.ts";
import { ConnectedSocket } from "./socket/connected_socket.ts";
import { DatagramSocket } from "./socket/datagram_socket.ts";
import {
  readDatagramSocketOptions,
  readSocketOptions,
  type SocketOptions,
} from "./socket/options.ts";
import { requireCarrier } from "./socket/require_carrier.ts";
import { sourceFor } from "./sources.ts";
import { dueTurn } from "./turns.ts";
import { limitsOf, type WaitOptions, within } from "./socket/waits.ts";

/**
 * How {@linkcode connect} opens its socket, and how long it may take: looking up
 * a name may take 10 seconds, and TCP's handshake minutes.
 */
export interface ConnectOptions extends SocketOptions, WaitOptions {
  /**
   * The IP family to use if a name has addresses in both. Only for Deno's own
   * UDP.
   * @default {the system's choice}
   */
  family?: 4 | 6 | undefined;
  /**
   * The carrier (the transport). A carrier takes its own options where it is
   * made, as in `quic({ cert, key })`.
   * @default {Deno's own UDP for `udp://`, TCP with one line per message for
   * `tcp://`, unix sockets for `unix:`}
   */
  carrier?: CarrierSource | undefined;
}

/** How {@linkcode bind} opens its socket. */
export interface BindOptions
  extends Omit<ConnectOptions, keyof WaitOptions>, GuardOptions, AnswerOptions {
  /**
   * Binds although another socket has the address (SO_REUSEADDR), which several
   * members of a multicast group on one machine need. Datagrams to one member go
   * to the last socket that was bound. Only for Deno's own UDP.
   * @default {false}
   */
  reuseAddress?: boolean | undefined;
}

/**
 * Opens a socket at a local address, to receive from many peers and to send to
 * many.
 *
 * @param address The local address, such as `udp://127.0.0.1:62000`, `:62000`
 * (on loopback), `udp://[::1]:0` (any free port), `tcp://127.0.0.1:62000` (one
 * line per message), or `unix:/run/pli.sock`. A `unix:` socket receives only; its
 * file is removed when it is closed, and a file that a crash left behind is
 * replaced.
 * @param options The carrier, and the limits of the socket.
 * @returns The open socket. Close it: `await using socket = bind(…)` does.
 * @throws {InvalidAddressError} `address` is not an address, or the carrier does
 * not carry its scheme.
 * @throws {Deno.errors.AddrInUse} Another socket has the address.
 * @throws {Deno.errors.AddrNotAvailable} It is not an address of this machine.
 * @throws {Deno.errors.NotFound} The host is unknown.
 * @throws {Deno.errors.NotCapable} A permission is missing:
 * `--allow-net=HOST:PORT`; for `unix:`
 * `--allow-net=unix:PATH --allow-read=PATH --allow-write=PATH`.
 * @throws {RangeError} An option is out of range.
 * @throws {TypeError} An option is of the wrong type, or has no use for this
 * carrier.
 *
 * @example
 * ```ts
 * import { bind } from "@pli/datagram";
 *
 * await using socket = bind("udp://127.0.0.1:0");
 * await socket.send("Bonjour", socket.addr); // to itself
 * const { data, from } = await socket.receive({ timeoutMs: 1000 });
 * await socket.send("bien reçu", from);
 * console.log(data.length, from.port === socket.addr.port); // 7 true
 * ```
 */
export function bind(
  address: `unix:${string}` | UnixAddr,
  options?: BindOptions,
): DatagramSocket<UnixAddr>;
/** Opens a socket at an address with a host and a port, or at any text. */
export function bind(
  address: string | NetAddr,
  options?: BindOptions,
): DatagramSocket<NetAddr>;
/** Opens a socket at an address of either kind, such as `parseAddress` returns. */
export function bind(
  address: NetAddr | UnixAddr,
  options?: BindOptions,
): DatagramSocket<NetAddr | UnixAddr>;
export function bind(
  address: string | NetAddr | UnixAddr,
  options: BindOptions = {},
):
  | DatagramSocket<NetAddr>
  | DatagramSocket<UnixAddr>
  | DatagramSocket<NetAddr | UnixAddr> {
  const local = toAddress(address, { operation: "bind" });
  const attempt = { action: `bind ${formatAddress(local)}`, local };
  const read = readDatagramSocketOptions(attempt, options, local);
  const source = sourceFor(local, options, attempt);
  let carrier: Carrier;
  try {
    carrier = source.listen(local);
  } catch (error) {
    throw failure(attempt.action, error, { local });
  }
  return owned(
    attempt,
    carrier,
    () => new DatagramSocket<NetAddr>(carrier, read),
  );
}

/**
 * Opens a socket to one peer. Over UDP this sends nothing, and does not detect
 * whether the peer exists.
 *
 * The system chooses the local port: on loopback if the peer is there, and
 * otherwise on all interfaces (`0.0.0.0` or `[::]`, which the permissions must
 * name).
 *
 * @param address The peer, such as `udp://127.0.0.1:62000` or
 * `udp://localhost:62000`, or `unix:/run/pli.sock`, which sends only. A name is
 * looked up once, now.
 * Cancellation: Nothing stays open.
 *
 * @param options The carrier, the limit of the socket, and how long to wait.
 * @returns The open socket. Close it: `await using client = await connect(…)`
 * does.
 * @throws {InvalidAddressError} `address` is not an address, its port is 0, it is
 * an unspecified, multicast or broadcast address (which are not one peer), or
 * the carrier does not carry its scheme.
 * @throws {Deno.errors.NotFound} The host is unknown.
 * @throws {Deno.errors.TimedOut} It was not done within `timeoutMs`.
 * @throws {Deno.errors.NotCapable} A permission is missing.
 * @throws {RangeError} An option is out of range.
 * @throws {TypeError} An option is of the wrong type, or has no use for this
 * carrier.
 * @throws `signal.reason`, unchanged.
 */
export function connect(
  address: `unix:${string}` | UnixAddr,
  options?: ConnectOptions,
): Promise<ConnectedSocket<UnixAddr>>;
/** Opens a socket to a peer with a host and a port, or at any text. */
export function connect(
  address: string | NetAddr,
  options?: ConnectOptions,
): Promise<ConnectedSocket<NetAddr>>;
/** Opens a socket to a peer at an address of either kind. */
export function connect(
  address: NetAddr | UnixAddr,
  options?: ConnectOptions,
): Promise<ConnectedSocket<NetAddr | UnixAddr>>;
export async function connect(
  address: string | NetAddr | UnixAddr,
  options: ConnectOptions = {},
): Promise<
  | ConnectedSocket<NetAddr>
  | ConnectedSocket<UnixAddr>
  | ConnectedSocket<NetAddr | UnixAddr>
> {
  try {
    return await open(address, options);
  } catch (error) {
    await dueTurn(systemClock);
    throw error;
  }
}

async function open(
  address: string | NetAddr | UnixAddr,
  options: ConnectOptions,
): Promise<ConnectedSocket<NetAddr>> {
  const remote = toDestination(address, { operation: "connect" });
  const attempt = { action: `connect to ${formatAddress(remote)}`, remote };
  const read = readSocketOptions(attempt, options);
  const limits = limitsOf(attempt, options);
  const source = sourceFor(remote, options, attempt);
  limits?.signal?.throwIfAborted();
  const abandoned = new AbortController();
  const { signal } = abandoned;
  const dialing = dial(source, remote, attempt, { signal });
  const carrier = await within(dialing, systemClock, limits, attempt)
    .catch((error) => {
      abandoned.abort(error);
      // A source that ignores the signal may still succeed.
      dialing.then(discard, () => {});
      throw error;
    });
  return owned(attempt, carrier, () => {
    const peer = (carrier.remote ?? remote) as NetAddr;
    return new ConnectedSocket(carrier, peer, read);
  });
}

/** Makes the socket that owns a carrier, which is closed if that fails. */
function owned<S>(attempt: Attempt, carrier: Carrier, make: () => S): S {
  try {
    requireCarrier(attempt, carrier);
  } catch (error) {
    discard(carrier);
    throw error;
  }
  try {
    return make();
  } catch (error) {
    discard(carrier);
    throw failure(attempt.action, error, attempt);
  }
}

async function dial(
  source: CarrierSource,
  remote: SchemeAddr | UnixAddr,
  attempt: Attempt,
  options: DialOptions,
): Promise<Carrier> {
  try {
    if (source.dial === undefined) {
      throw new errors.NotSupported("its carrier can only listen");
    }
    return await source.dial(remote, options);
  } catch (error) {
    throw failure(attempt.action, error, { remote });
  }
}

/** Closes a carrier that no socket will own. */
function discard(carrier: Carrier): void {
  try {
    carrier.close();
  } catch {
    // The error that made it useless is the one to report.
  }
}
