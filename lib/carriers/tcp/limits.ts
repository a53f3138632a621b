import {
  milliseconds,
  outOfRange,
  requireOptions,
  wholeNumber,
} from "../../check.ts";
import { type FramingName, FRAMINGS } from "./framing.ts";

/** How TCP connections carry messages, and what they may cost. */
export interface TcpOptions {
  /**
   * How messages are separated. `line`: each message is a line, or the bytes
   * before the end of a connection, as `nc`, telnet and PHP's `fwrite` send them;
   * it holds any byte but LF. `length`: each message follows its length in two
   * bytes (RFC 4571) and holds any byte. `octet`: each message follows its length
   * in decimal digits and a space, as syslog's octet counting (RFC 6587, RFC
   * 5425), and holds any byte. `nul`: each message ends with a NUL byte, as GELF,
   * or with the connection; it holds any byte but NUL. Both ends must use the
   * same.
   * @default {"line"}
   */
  framing?: FramingName | undefined;
  /**
   * The longest message, in bytes: 1 to 65535, or unless the framing is `length`,
   * to 64 MiB. Longer ones cannot be sent. It is also the default of the socket's
   * `maxSize`, to which longer messages are cut when they are received.
   * @default {65535}
   */
  maxMessage?: number | undefined;
  /**
   * The number of connections that a bound socket holds. A further one is closed
   * at once, unless a held connection only waits for replies (see `replyMs`) or
   * is in its TLS handshake: then that one is closed instead.
   * @default {1024}
   */
  maxPeers?: number | undefined;
  /**
   * How long a connection to a bound socket may be idle before it is closed:
   * milliseconds, 1 to 2^31 - 1, or `Infinity`.
   * @default {300000}
   */
  idleMs?: number | undefined;
  /**
   * How long a message may take from its first byte to its last: milliseconds, 1
   * to 2^31 - 1, or `Infinity`. Only the time that the socket waits for the peer
   * counts. A connection to a bound socket that takes longer is closed.
   * @default {30000}
   */
  messageMs?: number | undefined;
  /**
   * How long connecting may take, and how long a peer may take none of what is
   * sent to it before its connection is closed: milliseconds, 1 to 2^31 - 1, or
   * `Infinity`.
   * @default {10000}
   */
  sendMs?: number | undefined;
  /**
   * How long a peer that has closed its sending side, as `nc -N` does, can still
   * be sent replies after its last message was delivered: milliseconds, 0 to
   * 2^31 - 1, or `Infinity`. Each reply starts the time again. A peer that was
   * sent a reply per message is disconnected after half a second without a
   * further one. 0 disconnects it at once: for sockets that never reply.
   * @default {10000}
   */
  replyMs?: number | undefined;
}

/** The options, checked, with their defaults. */
export interface StreamSettings {
  framing: FramingName;
  maxMessage: number;
  maxPeers: number;
  idleMs: number;
  messageMs: number;
  sendMs: number;
  replyMs: number;
  /** How long a TLS handshake may take, in milliseconds or `Infinity`. */
  handshakeMs: number;
}

const ACTION = "open a socket";
const HANDSHAKE_MS = 10_000;

/**
 * Checks the options and adds their defaults.
 *
 * @throws {RangeError} An option is out of range.
 * @throws {TypeError} The options are no object.
 */
export function checkOptions(
  options: TcpOptions & { handshakeMs?: number | undefined },
): StreamSettings {
  requireOptions(ACTION, options);
  const { framing = "line", maxMessage = 65_535, maxPeers = 1024 } = options;
  if (!Object.hasOwn(FRAMINGS, framing)) {
    const names = '"line", "length", "octet" or "nul"';
    throw outOfRange(ACTION, "framing", names, framing);
  }
  const { largest } = FRAMINGS[framing];
  const ms = (
    name: keyof StreamSettings & `${string}Ms`,
    byDefault: number,
    from: number,
  ) => {
    const { [name]: value = byDefault } = options;
    return milliseconds(ACTION, name, value, from) ?? Infinity;
  };
  const messageMs = ms("messageMs", 30_000, 1);
  return {
    framing,
    maxMessage: wholeNumber(ACTION, "maxMessage", maxMessage, 1, largest),
    maxPeers: wholeNumber(ACTION, "maxPeers", maxPeers, 1),
    idleMs: ms("idleMs", 300_000, 1),
    messageMs,
    handshakeMs: ms("handshakeMs", Math.min(HANDSHAKE_MS, messageMs), 1),
    sendMs: ms("sendMs", 10_000, 1),
    replyMs: ms("replyMs", 10_000, 0),
  };
}
