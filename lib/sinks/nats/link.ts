import { createConnection } from "node:net";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { bracketed } from "../../address/authority.ts";
import "./patched_transport.ts";
import type { Credentials } from "./credentials.ts";
import type { NatsUrl } from "./url.ts";

/** A broker, and what it is shown. */
export type Broker = Omit<NatsUrl, "credentials"> & {
  readonly credentials: Credentials;
};

const GREETING_MS = 3000;
const CONNECT_MS = 5000;
// A connection is closed when the third of them is due without an answer: 12 s.
const PING_INTERVAL_MS = 4000;

/**
 * Connects to a broker. The connection does not reconnect by itself: when it
 * breaks, it rejects everything that is in flight at once, and the next
 * publisher begins with the first message that was not acknowledged.
 */
export async function openLink(
  { hostname, port, tls, credentials }: Broker,
  signal: AbortSignal,
): Promise<NatsConnection> {
  await awaitGreeting(hostname, port, signal);
  const host = bracketed(hostname);
  // Without `host` the client passes no IP address to TLS, which then expects a
  // certificate of "localhost".
  const encryption = { handshakeFirst: false, host: hostname };
  return await connect({
    ...credentials,
    servers: `${host}:${port}`,
    name: "pli",
    ...tls ? { tls: encryption } : {},
    timeout: CONNECT_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: 2,
    reconnect: false,
    ignoreClusterUpdates: true,
    // The system resolves names: the permission is for the host as it was given.
    resolve: false,
    noAsyncTraces: true,
  });
}

/**
 * Waits for a broker's first bytes, on a connection of its own. The client never
 * closes a connection on which it receives nothing (from a broker that is
 * stopped, or a server that is not a broker).
 */
async function awaitGreeting(
  hostname: string,
  port: number,
  signal: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(GREETING_MS)]);
  limit.throwIfAborted();
  const socket = createConnection({ host: hostname, port });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("data", () => resolve());
      socket.once("end", () => reject(new Error("connection closed")));
      // An error after that has no other listener, and would end the process.
      socket.on("error", reject);
      limit.onabort = () => reject(new Error("no answer"));
    });
  } finally {
    limit.onabort = null;
    socket.destroy();
  }
}
