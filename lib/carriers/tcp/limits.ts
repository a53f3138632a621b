import { milliseconds, outOfRange, wholeNumber } from "../../check.ts";
import { type FramingName, FRAMINGS } from "./framing.ts";

/** How TCP connections carry messages, and what they may cost. */
export interface TcpOptions {
  /**
   * How messages are separated. `line`: each message is a line, or the bytes
   * before the end of a connection, as `nc`, telnet and PHP's `fwrite` send them;
   * it holds any byte but LF. `length`: each message follows its length in two
   * bytes (RFC 4571) and holds any byte. Both ends must use the same.
   * @default {"line"}
   */
  framing?: FramingName;
  /**
   * The longest message, in bytes: 1 to 65535, with lines to 64 MiB. Longer ones
   * cannot be sent. It is also the default of the socket's `maxSize`, to which
   * longer lines are cut when they are received.
   * @default {65535}
   */
  maxMessage?: number;
  /**
   * The number of connections that a bound socket holds. A further one is closed
   * at once, unless a held connection only waits for replies (see `replyMs`):
   * then that one is closed instead.
   * @default {1024}
   */
  maxPeers?: number;
  /**
   * How long a connection to a bound socket may be idle before it is closed:
   * milliseconds, 1 to 2^31 - 1, or `Infinity`.
   * @default {300000}
   */
  idleMs?: number;
  /**
   * How long a message may take from its first byte to its last, and a TLS
   * handshake to complete: milliseconds, 1 to 2^31 - 1, or `Infinity`. Only the
   * time that the socket waits for the peer counts. A connection to a bound
   * socket that takes longer is closed.
   * @default {30000}
   */
  messageMs?: number;
  /**
   * How long connecting, and sending a message, may take: milliseconds, 1 to
   * 2^31 - 1, or `Infinity`. A peer that reads nothing for this long is
   * disconnected.
   * @default {10000}
   */
  sendMs?: number;
  /**
   * How long a peer that has closed its sending side, as `nc -N` does, can still
   * be sent replies after its last message was delivered: milliseconds, 0 to
   * 2^31 - 1, or `Infinity`. Each reply starts the time again. A peer that was
   * sent a reply per message is disconnected after half a second without a
   * further one. 0 disconnects it at once: for sockets that never reply.
   * @default {10000}
   */
  replyMs?: number;
}

const ACTION = "open a socket";

/**
 * Checks the options and adds their defaults.
 *
 * @throws {RangeError} An option is out of range.
 */
export function checkOptions(options: TcpOptions): Required<TcpOptions> {
  const { framing = "line", maxMessage = 65_535, maxPeers = 1024 } = options;
  if (!Object.hasOwn(FRAMINGS, framing)) {
    throw outOfRange(ACTION, "framing", '"line" or "length"', framing);
  }
  const { largest } = FRAMINGS[framing];
  const ms = (
    name: keyof TcpOptions & `${string}Ms`,
    byDefault: number,
    from: number,
  ) => {
    const { [name]: value = byDefault } = options;
    return milliseconds(ACTION, name, value, from) ?? Infinity;
  };
  return {
    framing,
    maxMessage: wholeNumber(ACTION, "maxMessage", maxMessage, 1, largest),
    maxPeers: wholeNumber(ACTION, "maxPeers", maxPeers, 1),
    idleMs: ms("idleMs", 300_000, 1),
    messageMs: ms("messageMs", 30_000, 1),
    sendMs: ms("sendMs", 10_000, 1),
    replyMs: ms("replyMs", 10_000, 0),
  };
}
