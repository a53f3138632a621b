/**
 * A sink that forwards messages to another server, over any transport: each
 * destination has its own queue, counts and troubles.
 *
 * @module
 */
import type { Addr } from "../addr.ts";
import { schemeOf } from "../addr.ts";
import type { CarrierSource } from "../carrier.ts";
import { type FramingName, tcp } from "../carriers/tcp.ts";
import { FRAMINGS } from "../carriers/tcp/framing.ts";
import { requireSocket } from "../collect/input.ts";
import {
  outOfRange,
  requireFunction,
  requireOptions,
  wholeNumber,
  wrongType,
} from "../check.ts";
import { InvalidAddressError } from "../errors.ts";
import { limitOf, type Rate, readRate } from "../limits/rate.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import { settles } from "../socket/peer_lines.ts";
import { forwardAddress } from "../address/forward_address.ts";
import { Destination } from "./forward/destination.ts";
import { Forwarding } from "./forward/forwarding.ts";
import { encoder } from "./forward/settings.ts";
import type { ForwardSink } from "./forward/sink.ts";

export type { ForwardSink, ForwardStats } from "./forward/sink.ts";
export type { FramingName } from "../carriers/tcp.ts";
export type { Datagram } from "../datagram.ts";
export type { Rate } from "../limits/rate.ts";
export type { Message, Sink } from "../sink.ts";

const ACTION = "forward";
const DEFAULT_MAX_QUEUED = 100_000;
const MAX_QUEUED_BYTES = 32 * 1024 * 1024;
/** The default of `limit`, in messages per second. */
export const FORWARD_LIMIT = 10_000;
// How long looking up a name may hold up the start.
const LOOK_UP_MS = 2000;
// How long a peer may read nothing before its connection is closed.
const SEND_MS = 60_000;

/** Options of {@linkcode forward}. */
export interface ForwardOptions {
  /**
   * The socket whose messages are forwarded. Over UDP they leave from it, if it
   * can reach the destination. It must stay open until the sink is closed.
   */
  socket: DatagramSocket<Addr>;
  /**
   * How messages are separated over `tcp://` and `tls://`, as in `tcp`. Of a
   * `carrier` it only says what that was made with.
   * @default {"octet", the octet counting of RFC 6587}
   */
  framing?: FramingName | undefined;
  /**
   * The carrier. `tls://` and `quic://` need one.
   * @default {Deno's own UDP, TCP with that framing, unix sockets}
   */
  carrier?: CarrierSource | undefined;
  /**
   * Whether each message goes with its original sender. Over UDP and `unix:` a
   * header of the PROXY protocol, version 2, precedes it in the same datagram.
   * Over connections the line `Pli-From: ADDRESS` and LF precede it in the same
   * frame; with the framing `line` that is a line of its own.
   * @default {false}
   */
  sender?: boolean | undefined;
  /**
   * How many messages are forwarded at most. Further ones are dropped.
   * @default {10_000 per second}
   */
  limit?: Rate | undefined;
  /**
   * The most messages that wait, besides a limit of 32 MiB with 128 bytes for
   * each. Further ones are dropped.
   * @default {100_000}
   */
  maxQueued?: number | undefined;
  /**
   * Called with one line for each kind of trouble, once until it is over, and
   * when the destination is back.
   * @default {console.error}
   */
  onTrouble?: ((line: string) => void) | undefined;
}

/**
 * Returns a sink that forwards messages to one destination, as they arrived.
 * While the destination is away messages wait, and the sink connects again, after
 * 100 ms at first and at most 7.5 seconds. A destination that is dead or slow
 * holds up nothing else.
 *
 * A message from a destination of the same socket is not forwarded: from its host,
 * or, if that is this machine, from its port. Loops over further servers cannot be
 * seen; the limit holds them.
 *
 * @param to The address, such as `udp://10.0.0.7:514`. A name is looked up once
 * for UDP, and by the carrier each time that it connects.
 * @returns The sink, when the name has been looked up, or after 2 seconds.
 * @throws {InvalidAddressError} `to` is not an address, or it is the address of
 * the socket itself.
 * @throws {RangeError} `limit` or `maxQueued` is out of range.
 * @throws {TypeError} An option is of the wrong type, or a carrier is missing.
 *
 * @example
 * ```ts
 * import { bind, connect } from "@pli/datagram";
 * import { collect } from "@pli/datagram/collect";
 * import { forward } from "@pli/datagram/forward";
 *
 * await using archive = bind("udp://127.0.0.1:0");
 * await using socket = bind("udp://127.0.0.1:0");
 * const sinks = [await forward(archive.addr, { socket })];
 * const collector = collect(socket, { sinks, count: 1 });
 * await using client = await connect(socket.addr);
 * await client.send("Bonjour");
 * console.log((await archive.receive()).text()); // Bonjour
 * await collector.finished;
 * ```
 */
export async function forward(
  to: string | Addr,
  options: ForwardOptions,
): Promise<ForwardSink> {
  requireOptions(ACTION, options);
  const { socket, framing = "octet", carrier, sender = false } = options ?? {};
  const { limit = FORWARD_LIMIT, maxQueued = DEFAULT_MAX_QUEUED, onTrouble } =
    options ?? {};
  requireSocket(ACTION, socket);
  requireTypes({ framing, carrier, sender, onTrouble });
  const address = forwardAddress(to);
  const destination = new Destination(address, socket);
  const settings = {
    socket,
    carrier: carrier ?? carrierFor(address, framing),
    limit: limitOf(readRate(ACTION, "limit", limit)),
    maxQueued: wholeNumber(ACTION, "maxQueued", maxQueued, 1),
    maxQueuedBytes: MAX_QUEUED_BYTES,
    onTrouble,
    encode: encoder(address, framing, sender, socket.addr),
  };
  const known = destination.hosts().catch((error) => {
    if (error instanceof InvalidAddressError) throw error;
  });
  known.catch(() => {});
  if (await settles(known, LOOK_UP_MS, socket.clock)) await known;
  return new Forwarding(destination, settings);
}

/**
 * @throws {TypeError} An option is of the wrong type.
 * @throws {RangeError} There is no such framing.
 */
function requireTypes(
  { framing, carrier, sender, onTrouble }: Partial<ForwardOptions>,
): void {
  if (!Object.hasOwn(FRAMINGS, framing ?? "")) {
    const names = '"line", "length", "octet" or "nul"';
    throw outOfRange(ACTION, "framing", names, framing);
  }
  if (typeof sender !== "boolean") {
    throw wrongType(ACTION, "sender", "true or false", sender);
  }
  if (onTrouble !== undefined) {
    requireFunction(ACTION, "onTrouble", onTrouble);
  }
  if (carrier === undefined) return;
  if (typeof (carrier as CarrierSource | null)?.listen === "function") return;
  throw wrongType(ACTION, "carrier", "an object with a listen method", carrier);
}

/** @throws {TypeError} A carrier must be given. */
function carrierFor(
  address: Addr,
  framing: FramingName,
): CarrierSource | undefined {
  const scheme = schemeOf(address);
  if (scheme === "tls" || scheme === "quic") {
    throw new TypeError(
      `Cannot forward: no default carrier for ${scheme}:// addresses; pass one: { carrier: ${scheme}({ … }) }`,
    );
  }
  if (scheme !== "tcp") return undefined;
  const maxMessage = FRAMINGS[framing].largest;
  return tcp({ framing, maxMessage, sendMs: SEND_MS });
}
