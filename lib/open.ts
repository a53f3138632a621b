import { AnswerLimits, type AnswerOptions } from "./limits/answers.ts";
import {
  formatAddress,
  type SchemeAddr,
  toAddress,
  toDestination,
} from "./address/address.ts";
import { checkMaxSize, type SocketOptions } from "./socket/base_socket.ts";
import type { CarrierSource } from "./carrier.ts";
import { tcp } from "./carriers/tcp.ts";
import { udp } from "./carriers/udp.ts";
import { unix } from "./carriers/unix.ts";
import { systemClock } from "./clock.ts";
import { ConnectedSocket } from "./socket/connected_socket.ts";
import { DatagramSocket } from "./socket/datagram_socket.ts";
import { failure } from "./errors.ts";
import { Guard, type GuardOptions } from "./limits/guard.ts";

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
  address: `unix:${string}` | Deno.UnixAddr,
  options?: BindOptions,
): DatagramSocket<Deno.UnixAddr>;
/** The same, for `udp://` addresses and for those that are text of any kind. */
export function bind(
  address: string | Deno.NetAddr,
  options?: BindOptions,
): DatagramSocket<Deno.NetAddr>;
export function bind(
  address: string | Deno.NetAddr | Deno.UnixAddr,
  options: BindOptions = {},
): DatagramSocket<Deno.NetAddr> | DatagramSocket<Deno.UnixAddr> {
  const local = toAddress(address);
  const source = sourceFor(local, options);
  try {
    return new DatagramSocket<Deno.NetAddr>(source.listen(local), options);
  } catch (error) {
    throw failure(`bind ${formatAddress(local)}`, error);
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
  address: `unix:${string}` | Deno.UnixAddr,
  options?: ConnectOptions,
): Promise<ConnectedSocket<Deno.UnixAddr>>;
/** The same, for `udp://` addresses and for those that are text of any kind. */
export function connect(
  address: string | Deno.NetAddr,
  options?: ConnectOptions,
): Promise<ConnectedSocket<Deno.NetAddr>>;
export async function connect(
  address: string | Deno.NetAddr | Deno.UnixAddr,
  options: ConnectOptions = {},
): Promise<ConnectedSocket<Deno.NetAddr> | ConnectedSocket<Deno.UnixAddr>> {
  const remote = toDestination(address);
  const source = sourceFor(remote, options);
  try {
    if (source.dial === undefined) {
      throw new Deno.errors.NotSupported("its carrier can only listen");
    }
    const carrier = await source.dial(remote);
    const peer = (carrier.remote ?? remote) as Deno.NetAddr;
    return new ConnectedSocket(carrier, peer, options);
  } catch (error) {
    throw failure(`connect to ${formatAddress(remote)}`, error);
  }
}

/** Before anything is opened. */
function checkOptions(address: Deno.Addr, options: BindOptions): void {
  checkMaxSize(options.maxSize);
  new Guard(options, systemClock);
  new AnswerLimits(options, address, systemClock);
  const { allow, deny, rateLimit, answerLimit, maxAmplification } = options;
  const forIp = { allow, deny, rateLimit, answerLimit, maxAmplification };
  if ("hostname" in address) return;
  for (const [name, value] of Object.entries(forIp)) {
    if (value === undefined) continue;
    throw new TypeError(
      `Cannot open ${
        formatAddress(address)
      }: ${name} is about IP addresses, and there are none here`,
    );
  }
}

/** What opens the socket. An option that would be ignored is an error. */
function sourceFor(
  address: SchemeAddr | Deno.UnixAddr,
  options: BindOptions,
): CarrierSource {
  const { carrier, family, reuseAddress } = options;
  checkOptions(address, options);
  const scheme = "path" in address
    ? "unix"
    : address.scheme ?? address.transport;
  const isUdp = carrier === undefined && scheme === "udp";
  const unused = family !== undefined
    ? "family"
    : reuseAddress !== undefined
    ? "reuseAddress"
    : undefined;
  if (!isUdp && unused !== undefined) {
    throw new TypeError(
      `Cannot open ${
        formatAddress(address)
      }: ${unused} is an option of Deno's own UDP; this carrier has no use for it`,
    );
  }
  if (family !== undefined && family !== 4 && family !== 6) {
    throw new RangeError(
      `Cannot open ${
        formatAddress(address)
      }: family must be 4 or 6: given ${family}`,
    );
  }
  if (carrier !== undefined) return carrier;
  if (isUdp) return udp({ family, reuseAddress });
  if (scheme === "unix") return unix();
  if (scheme === "tcp") return tcp();
  throw new TypeError(
    `Cannot open ${
      formatAddress(address)
    }: name what carries it, as in carrier: ${scheme}({ … })`,
  );
}
