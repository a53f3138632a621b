/**
 * Messages over TLS: as over TCP, but encrypted, and the client knows whom it
 * speaks to.
 *
 * @module
 */
import { errors } from "../errors.ts";
import type { CarrierSource } from "../carrier.ts";
import type { NetAddr } from "../addr.ts";
import { BoundCarrier } from "./tcp/bound.ts";
import { connectWithin } from "./tcp/dial.ts";
import { DialledCarrier } from "./tcp/dialled.ts";
import { checkOptions, type TcpOptions } from "./tcp/limits.ts";

export type { FramingName } from "./tcp/framing.ts";
export type { TcpOptions } from "./tcp/limits.ts";

/** How TLS connections carry messages, and who is trusted. */
export interface TlsOptions extends TcpOptions {
  /** The server's certificate, and those that vouch for it, as PEM. */
  cert?: string;
  /** Its private key, as PEM. */
  key?: string;
  /**
   * Certificates that a client trusts besides the system's, as PEM.
   * @default {none}
   */
  caCerts?: string[];
  /**
   * The name that the server's certificate must be for.
   * @default {the host of the address}
   */
  serverName?: string;
}

/**
 * Connections by TLS, for `tls://` addresses. All that {@linkcode tcp} says
 * holds; handshakes that fail or take too long are counted as
 * `dropped.handshake`. Anyone may connect: TLS clients show no certificate here.
 *
 * @throws {RangeError} An option is out of range.
 *
 * @example
 * ```ts ignore
 * import { bind, connect } from "@pli/datagram";
 * import { tls } from "@pli/datagram/tls";
 *
 * await using socket = bind("tls://127.0.0.1:62443", {
 *   carrier: tls({ cert, key }),
 * });
 * await using client = await connect("tls://127.0.0.1:62443", {
 *   carrier: tls({ caCerts: [cert] }),
 * });
 * ```
 */
export function tls(options: TlsOptions): CarrierSource {
  const { cert, key, caCerts, serverName, ...limits } = options;
  const checked = checkOptions(limits);
  return {
    schemes: ["tls"],
    listen({ hostname, port }: NetAddr) {
      if (cert === undefined || key === undefined) {
        throw new TypeError("a TLS server needs cert and key");
      }
      const listener = Deno.listenTls({ hostname, port, cert, key });
      return new BoundCarrier(listener, checked, "tls");
    },
    async dial(remote: NetAddr) {
      const tcp = await connectWithin(checked.sendMs, remote);
      const conn = await Deno.startTls(tcp, {
        hostname: serverName ?? remote.hostname,
        caCerts,
      });
      await shakeHands(conn, checked.messageMs);
      return new DialledCarrier(conn, checked, "tls");
    },
  };
}

async function shakeHands(conn: Deno.TlsConn, ms: number): Promise<void> {
  let late: Error | undefined;
  const timer = ms === Infinity ? undefined : setTimeout(() => {
    late = new errors.TimedOut(`no TLS handshake within ${ms} ms`);
    conn.close();
  }, ms);
  try {
    await conn.handshake();
  } catch (error) {
    if (late !== undefined) throw late;
    conn.close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
