import { connect, type NatsConnection } from "@nats-io/transport-node";
import "./mended_transport.ts";
import type { NatsUrl } from "./url.ts";

const GREETING_MS = 3000;
const CONNECT_MS = 5000;
// An idle connection is given up after three of them: 12 s.
const PING_INTERVAL_MS = 4000;

/**
 * Connects once. It does not reconnect: a broken connection rejects all that is
 * in flight at once, and who published it begins again where it has to.
 */
export async function openLink(
  { hostname, port, tls, credentials }: NatsUrl,
  signal: AbortSignal,
): Promise<NatsConnection> {
  await awaitGreeting(hostname, port, signal);
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  // The client names no IP address to TLS, which then wants a certificate of
  // "localhost".
  const encryption = { handshakeFirst: false, host: hostname };
  return await connect({
    ...credentials,
    servers: `${host}:${port}`,
    name: "pli",
    tls: tls ? encryption : undefined,
    timeout: CONNECT_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: 2,
    reconnect: false,
    ignoreClusterUpdates: true,
    // To look names up is the system's part: the permission is for the host.
    resolve: false,
    noAsyncTraces: true,
  });
}

/**
 * Waits for what a broker says first. The client cannot let go of a connection
 * on which nothing is said (a broker that is stopped, or none at all).
 */
async function awaitGreeting(
  hostname: string,
  port: number,
  signal: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(GREETING_MS)]);
  try {
    using connection = await Deno.connect({ hostname, port, signal: limit });
    const close = () => connection.close();
    limit.addEventListener("abort", close);
    try {
      const read = await connection.read(new Uint8Array(4));
      if (read === null) throw new Error("connection closed");
    } finally {
      limit.removeEventListener("abort", close);
    }
  } catch (error) {
    throw limit.aborted ? new Error("no answer") : error;
  }
}
