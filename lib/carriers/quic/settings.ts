import { outOfRange, wholeNumber, wrongType } from "../../check.ts";
import { checkPem, type PemOptions } from "../pem.ts";
import { ALPN, MAX_TOKEN } from "./hello.ts";

const ACTION = "use quic";
const MAX_MESSAGE = 64 * 1024 * 1024;
const MAX_MS = 2 ** 31 - 1;
const IDLE_MS = 30_000;
// A connection that loses a fifth of its packets may be silent for a minute.
const RELIABLE_IDLE_MS = 120_000;
// How long a server that ends waits for a client that takes nothing.
const LISTEN_END_MS = 10_000;
// So that the peer's idle time does not pass although one such packet is lost.
const KEEP_ALIVES_PER_IDLE = 3;

/** How `quic` connects, and which clients it accepts. */
export interface QuicOptions extends PemOptions {
  /**
   * A secret that both ends know, 1 to 1024 bytes. A server that has one accepts
   * only clients that have the same. They send it encrypted, after they have
   * checked the server's certificate.
   * @default {none: the server accepts every client}
   */
  token?: string | undefined;
  /**
   * Whether messages are sent on a QUIC stream rather than as QUIC datagrams; a
   * connection uses the stream if either end asks for it. Each message is then
   * delivered once and in order, or the connection breaks, and messages that the
   * peer had not confirmed by then are counted in `dropped.unconfirmed`. There is
   * one stream per direction, so a lost packet holds back everything sent after
   * it until it is retransmitted (head-of-line blocking); one stream per message
   * would avoid that at about a tenth of the speed. A client's send waits while
   * the server takes nothing; a server's does not wait. Either is disconnected
   * after `idleMs` of that.
   *
   * Without it datagrams may be lost, and may arrive out of order.
   * @default {false}
   */
  reliable?: boolean | undefined;
  /**
   * The longest message, in bytes, 1 to 64 MiB; a connection uses the smaller
   * limit of its two ends. It is also the default of the socket's `maxSize`. A
   * datagram holds less: 1,162 bytes at first and about 1,400 a second later, if
   * the path allows it.
   * @default {65527}
   */
  maxMessage?: number | undefined;
  /**
   * The number of peers that a server keeps; more are rejected. Each may cost up
   * to 2.5 MB of system buffers, and `maxMessage` besides.
   * @default {256}
   */
  maxPeers?: number | undefined;
  /**
   * The number of clients that may be in their handshake at a time; more are
   * rejected. Until a handshake is done, its source address may be forged.
   * @default {64}
   */
  maxHandshakes?: number | undefined;
  /** How long a handshake may take, in milliseconds. @default {5000} */
  handshakeMs?: number | undefined;
  /**
   * How long nothing may arrive from a peer before its connection is closed, and
   * how long a peer may take no bytes of the reliable messages that wait for it,
   * in milliseconds. A connection uses the smaller limit of its two ends. What
   * loss a connection survives depends on it: see docs/carriers.md.
   * @default {30000; for servers and for reliable clients 120000}
   */
  idleMs?: number | undefined;
  /**
   * How often an end with nothing to send shows that it is still there, in
   * milliseconds; at least three times in each `idleMs`.
   * @default {10000}
   */
  keepAliveMs?: number | undefined;
}

/** The options, checked, with their defaults. */
export interface Settings {
  cert: string | undefined;
  key: string | undefined;
  caCerts: string[] | undefined;
  serverName: string | undefined;
  token: Uint8Array;
  reliable: boolean;
  maxPeers: number;
  maxHandshakes: number;
  maxMessage: number;
  handshakeMs: number;
  /** For connections that this end makes. */
  idleMs: number;
  /** For connections that it accepts: they may turn out to be reliable. */
  listenIdleMs: number;
  /** How long such a connection may take nothing at the end. */
  listenEndMs: number;
  keepAliveMs: number;
}

/**
 * Checks the options and adds their defaults.
 *
 * @throws {RangeError} An option is out of range.
 * @throws {TypeError} An option is of the wrong type.
 */
export function settingsOf(options: QuicOptions): Settings {
  const { cert, key, caCerts, serverName } = checkPem("quic", options);
  const { reliable = false } = options;
  if (typeof reliable !== "boolean") {
    throw wrongType(ACTION, "reliable", "true or false", reliable);
  }
  const number = (
    name: Exclude<keyof QuicOptions & keyof Settings, "reliable">,
    byDefault: number,
    to: number,
  ) => {
    const { [name]: value = byDefault } = options;
    return wholeNumber(ACTION, name, value, 1, to);
  };
  const listenIdleMs = number("idleMs", RELIABLE_IDLE_MS, MAX_MS);
  return {
    cert,
    key,
    caCerts,
    serverName,
    token: tokenOf(options.token),
    reliable,
    maxPeers: number("maxPeers", 256, MAX_MS),
    maxHandshakes: number("maxHandshakes", 64, MAX_MS),
    maxMessage: number("maxMessage", 65_527, MAX_MESSAGE),
    handshakeMs: number("handshakeMs", 5000, MAX_MS),
    idleMs: number("idleMs", reliable ? RELIABLE_IDLE_MS : IDLE_MS, MAX_MS),
    listenIdleMs,
    listenEndMs: Math.min(listenIdleMs, LISTEN_END_MS),
    keepAliveMs: number("keepAliveMs", 10_000, MAX_MS),
  };
}

/** The token's bytes; none if there is no token. */
function tokenOf(token: unknown): Uint8Array {
  if (token === undefined) return new Uint8Array();
  if (typeof token !== "string") {
    throw wrongType(ACTION, "token", "text", token);
  }
  const bytes = new TextEncoder().encode(token);
  if (bytes.length > 0 && bytes.length <= MAX_TOKEN) return bytes;
  // The message must not show the secret, so it gives the length.
  throw outOfRange(ACTION, "token", `1 to ${MAX_TOKEN} bytes`, bytes.length);
}

/** The options that Deno gets for a connection, whichever end makes it. */
export interface Transport extends Deno.QuicTransportOptions {
  alpnProtocols: string[];
}

/** The options that Deno gets for each connection that this end makes. */
export function clientTransport(
  { idleMs, keepAliveMs }: Settings,
): Transport {
  return transport(idleMs, keepAliveMs);
}

/** The options that Deno gets for each connection that this end accepts. */
export function serverTransport(
  { listenIdleMs, keepAliveMs }: Settings,
): Transport {
  return transport(listenIdleMs, keepAliveMs);
}

/**
 * Both ends keep the connection alive: the idle time that counts is the smaller
 * one, and each end knows only its own.
 */
function transport(idleMs: number, keepAliveMs: number): Transport {
  const most = Math.max(1, Math.floor(idleMs / KEEP_ALIVES_PER_IDLE));
  return {
    alpnProtocols: [ALPN],
    maxIdleTimeout: idleMs,
    keepAliveInterval: Math.min(keepAliveMs, most),
    // One for hello and goodbye, one for messages.
    maxConcurrentBidirectionalStreams: 1,
    maxConcurrentUnidirectionalStreams: 1,
  };
}
