import {
  type Addr,
  type NetAddr,
  prefixOf,
  type SchemeAddr,
  schemeOf,
  type UnixAddr,
} from "./addr.ts";
import {
  formatAddress,
  requireScheme,
  toAddress,
  toDestination,
} from "./address/address.ts";
import type { CarrierSource } from "./carrier.ts";
import { tcp } from "./carriers/tcp.ts";
import { udp } from "./carriers/udp.ts";
import { unix } from "./carriers/unix.ts";
import { outOfRange } from "./check.ts";
import { systemClock } from "./clock.ts";
import { errors, failure, type OperationFields, withFields } from "./errors.ts";
import { AnswerLimits, type AnswerOptions } from "./limits/answers.ts";
import { Guard, type GuardOptions } from "./limits/guard.ts";
import { checkMaxSize, type SocketOptions } from "./socket/base_socket.ts";
import { ConnectedSocket } from "./socket/connected_socket.ts";
import { DatagramSocket } from "./socket/datagram_socket.ts";

/** How {@linkcode connect} opens its socket. */
export interface ConnectOptions extends SocketOptions {
  /**
   * The IP family, where a name has addresses in both. Deno's own UDP only.
   * @default {whichever the system prefers}
   */
  family?: 4 | 6;
  /**
   * What carries the datagrams. A carrier takes its own options where it is
   * made.
   * @default {Deno's own UDP, TCP with a line a message for `tcp://`, or unix
   * sockets for `unix:`}
   */
  carrier?: CarrierSource;
}

/** How {@linkcode bind} opens its socket. */
export interface BindOptions
  extends ConnectOptions, GuardOptions, AnswerOptions {
  /**
   * Binds although another socket has the address (SO_REUSEADDR), as several
   * members of a multicast group on one machine must. Of ordinary datagrams the
   * last to bind gets them all. Deno's own UDP only.
   * @default {false}
   */
  reuseAddress?: boolean;
}

/**
 * Opens a socket at a local address, to receive from many peers and send to
 * many.
 *
 * @param address Such as `udp://127.0.0.1:62000`, `:62000` (on loopback),
 * `udp://[::1]:0` (any free port), `tcp://127.0.0.1:62000` (a line each), or
 * `unix:/run/pli.sock`, which receives only; its file is removed on close, and
 * one that a crash left behind is replaced.
 * @returns The open socket. Close it: `await using socket = bind(…)` does.
 * @throws {InvalidAddressError} Not an address.
 * @throws {Deno.errors.AddrInUse} Somebody has it already.
 * @throws {Deno.errors.AddrNotAvailable} Not an address of this machine.
 * @throws {Deno.errors.NotFound} An unknown host.
 * @throws {Deno.errors.NotCapable} Needs `--allow-net=HOST:PORT`; for `unix:`
 * `--allow-net=unix:PATH --allow-read=PATH --allow-write=PATH`.
 * @throws {RangeError} An option is out of range.
 * @throws {TypeError} An option that this carrier has no use for.
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
/** The same, for `udp://` addresses and for those that are text of any kind. */
export function bind(
  address: string | NetAddr,
  options?: BindOptions,
): DatagramSocket<NetAddr>;
export function bind(
  address: string | NetAddr | UnixAddr,
  options: BindOptions = {},
): DatagramSocket<NetAddr> | DatagramSocket<UnixAddr> {
  const local = toAddress(address, { operation: "bind" });
  const fields = { operation: "bind", local };
  const source = sourceFor(local, options, fields);
  try {
    return new DatagramSocket<NetAddr>(source.listen(local), options);
  } catch (error) {
    throw failure(`bind ${formatAddress(local)}`, error, fields);
  }
}

/**
 * Opens a socket to one peer. Over UDP nothing is sent by that, and a peer that
 * does not exist is not noticed.
 *
 * The local port is the system's choice, on loopback for a peer there, and else
 * on all interfaces (`0.0.0.0` or `[::]`, which the permissions must name).
 *
 * @param address The peer's, such as `udp://127.0.0.1:62000` or
 * `udp://localhost:62000`, or `unix:/run/pli.sock`, which sends only. A name is
 * looked up once, here.
 * @returns The open socket. Close it: `await using client = await connect(…)`.
 * @throws {InvalidAddressError} Not an address; port 0; an unspecified,
 * multicast or broadcast address, which stand for no one peer.
 * @throws {Deno.errors.NotFound} An unknown host.
 * @throws {Deno.errors.NotCapable} A permission is missing.
 * @throws {RangeError} `maxSize` is out of range.
 * @throws {TypeError} An option that this carrier has no use for.
 */
export function connect(
  address: `unix:${string}` | UnixAddr,
  options?: ConnectOptions,
): Promise<ConnectedSocket<UnixAddr>>;
/** The same, for `udp://` addresses and for those that are text of any kind. */
export function connect(
  address: string | NetAddr,
  options?: ConnectOptions,
): Promise<ConnectedSocket<NetAddr>>;
export async function connect(
  address: string | NetAddr | UnixAddr,
  options: ConnectOptions = {},
): Promise<ConnectedSocket<NetAddr> | ConnectedSocket<UnixAddr>> {
  const remote = toDestination(address, { operation: "connect" });
  const fields = { operation: "connect", remote };
  const source = sourceFor(remote, options, fields);
  try {
    if (source.dial === undefined) {
      throw new errors.NotSupported("its carrier can only listen");
    }
    const carrier = await source.dial(remote);
    const peer = (carrier.remote ?? remote) as NetAddr;
    return new ConnectedSocket(carrier, peer, options);
  } catch (error) {
    throw failure(`connect to ${formatAddress(remote)}`, error, fields);
  }
}

/** Checks the options before anything is opened. */
function checkOptions(
  address: Addr,
  options: BindOptions,
  fields: OperationFields,
): void {
  checkMaxSize(options.maxSize);
  new Guard(options, systemClock);
  new AnswerLimits(options, address, systemClock);
  if ("hostname" in address) return;
  const { allow, deny, rateLimit, answerLimit, maxAmplification } = options;
  const forIp = { allow, deny, rateLimit, answerLimit, maxAmplification };
  for (const [name, value] of Object.entries(forIp)) {
    if (value === undefined) continue;
    throw unusable(address, `${name} needs IP addresses`, fields);
  }
}

/** Returns what opens the socket. An option that would be ignored is an error. */
function sourceFor(
  address: SchemeAddr | UnixAddr,
  options: BindOptions,
  fields: OperationFields,
): CarrierSource {
  checkOptions(address, options, fields);
  const { carrier, family, reuseAddress } = options;
  if (carrier !== undefined) {
    requireScheme(address, carrier.schemes, "this carrier", fields);
  }
  const scheme = schemeOf(address);
  if (carrier === undefined && scheme === "udp") {
    if (family !== undefined && family !== 4 && family !== 6) {
      throw outOfRange(fields.operation ?? "open", "family", "4 or 6", family);
    }
    return udp({ family, reuseAddress });
  }
  for (const [name, value] of Object.entries({ family, reuseAddress })) {
    if (value === undefined) continue;
    throw unusable(
      address,
      `${name} is an option of Deno's own UDP, which does not carry this`,
      fields,
    );
  }
  if (carrier !== undefined) return carrier;
  if (scheme === "unix") return unix();
  if (scheme === "tcp") return tcp();
  throw unusable(
    address,
    `no default carrier for ${
      prefixOf(scheme)
    } addresses; pass one: { carrier: ${scheme}({ … }) }`,
    fields,
  );
}

function unusable(
  address: Addr,
  why: string,
  fields: OperationFields,
): TypeError {
  const text = `Cannot ${fields.operation} ${formatAddress(address)}: ${why}`;
  return withFields(new TypeError(text), fields);
}
