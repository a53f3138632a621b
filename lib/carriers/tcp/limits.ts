import { type FramingName, FRAMINGS } from "./framing.ts";

/** How TCP connections carry messages, and what they may cost. */
export interface TcpOptions {
  /**
   * How messages are told apart. `line`: a message is a line, or what comes
   * before the end of a connection, so `nc`, telnet and PHP's `fwrite` speak it;
   * it holds any byte but LF. `length`: two bytes of length come before each
   * message (RFC 4571), which may hold any byte. Both ends must use the same.
   * @default {"line"}
   */
  framing?: FramingName;
  /**
   * The longest message to send, in bytes: 1 to 65535, with lines to 64 MiB.
   * What comes is cut to the socket's `maxSize`.
   * @default {65535}
   */
  maxMessage?: number;
  /**
   * How many connections a bound socket holds. More are closed at once, unless
   * one of those has ended and only waits for answers: that one gives way.
   * @default {1024}
   */
  maxPeers?: number;
  /**
   * Milliseconds, 1 to 2^31 - 1, or `Infinity`: a connection to a bound socket
   * on which nothing comes or goes for so long is closed.
   * @default {300000}
   */
  idleMs?: number;
  /**
   * Milliseconds from the first byte of a message to its last, and for a TLS
   * handshake; only the time counts that the socket waits for the peer. A
   * connection to a bound socket that takes longer is closed.
   * @default {30000}
   */
  messageMs?: number;
  /**
   * Milliseconds to connect, and to write a message. A peer that does not read
   * for so long is given up: its connection is closed. Whose peer has ended its
   * own half of the connection may be answered for so long.
   * @default {10000}
   */
  sendMs?: number;
}

const MAX_MS = 2 ** 31 - 1;

/**
 * The options with their defaults.
 *
 * @throws {RangeError} One that makes no sense.
 */
export function checkOptions(options: TcpOptions): Required<TcpOptions> {
  const {
    framing = "line",
    maxMessage = 65_535,
    maxPeers = 1024,
    idleMs = 300_000,
    messageMs = 30_000,
    sendMs = 10_000,
  } = options;
  if (!Object.hasOwn(FRAMINGS, framing)) {
    throw wrong("framing", '"line" or "length"', framing);
  }
  const { largest } = FRAMINGS[framing];
  if (!Number.isInteger(maxMessage) || maxMessage < 1 || maxMessage > largest) {
    throw wrong(
      "maxMessage",
      `a whole number from 1 to ${largest}`,
      maxMessage,
    );
  }
  if (!Number.isInteger(maxPeers) || maxPeers < 1) {
    throw wrong("maxPeers", "a whole number from 1", maxPeers);
  }
  for (const [name, ms] of Object.entries({ idleMs, messageMs, sendMs })) {
    if (ms === Infinity || ms >= 1 && ms <= MAX_MS) continue;
    throw wrong(name, `from 1 to ${MAX_MS}, or Infinity`, ms);
  }
  return { framing, maxMessage, maxPeers, idleMs, messageMs, sendMs };
}

function wrong(name: string, wanted: string, given: unknown): RangeError {
  return new RangeError(
    `Cannot open a socket: ${name} must be ${wanted}: given ${given}`,
  );
}
