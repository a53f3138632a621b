import { ALPN, MAX_TOKEN } from "./hello.ts";
import type { QuicOptions } from "../quic.ts";

const MAX_MESSAGE = 64 * 1024 * 1024;
const MAX_MS = 2 ** 31 - 1;

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
  idleMs: number;
  keepAliveMs: number;
}

export function settingsOf(options: QuicOptions): Settings {
  const { cert, key, caCerts, serverName, token = "", reliable = false } =
    options;
  const { maxPeers = 256, maxHandshakes = 64, maxMessage = 65_527 } = options;
  const { handshakeMs = 5000, idleMs = 30_000, keepAliveMs = 10_000 } = options;
  const inRange = { maxPeers, maxHandshakes, handshakeMs, idleMs, keepAliveMs };
  for (const [name, value] of Object.entries(inRange)) {
    wholeNumber(name, value, 1, MAX_MS);
  }
  wholeNumber("maxMessage", maxMessage, 1, MAX_MESSAGE);
  for (const pem of caCerts ?? []) {
    if (pem.includes("-----BEGIN CERTIFICATE-----")) continue;
    throw new TypeError(
      "Cannot use quic: caCerts are certificates in PEM, which begin with -----BEGIN CERTIFICATE-----",
    );
  }
  const bytes = new TextEncoder().encode(token);
  if (bytes.length > MAX_TOKEN || options.token === "") {
    throw new RangeError(
      `Cannot use quic: token must be 1 to ${MAX_TOKEN} bytes: given ${bytes.length}`,
    );
  }
  return {
    ...{ cert, key, caCerts, serverName, token: bytes, reliable },
    ...{ maxPeers, maxHandshakes, maxMessage, handshakeMs, idleMs },
    keepAliveMs,
  };
}

/** What Deno is told of every connection. */
export function transport({ idleMs }: Settings) {
  return {
    alpnProtocols: [ALPN],
    maxIdleTimeout: idleMs,
    // One for hello and goodbye, one for messages.
    maxConcurrentBidirectionalStreams: 1,
    maxConcurrentUnidirectionalStreams: 1,
  };
}

function wholeNumber(
  name: string,
  value: number,
  from: number,
  to: number,
): void {
  if (Number.isInteger(value) && value >= from && value <= to) return;
  throw new RangeError(
    `Cannot use quic: ${name} must be a whole number from ${from} to ${to}: given ${value}`,
  );
}
