/**
 * Messages over TLS, for `tls://` addresses: as over TCP, but encrypted, and the
 * client checks the server's certificate.
 *
 * @module
 */
import type { NetAddr } from "../addr.ts";
import type { CarrierSource, DialOptions } from "../carrier.ts";
import { handshakeFailure } from "./handshake_failures.ts";
import { certificateFailure, checkPem, type PemOptions } from "./pem.ts";
import { requireDeno } from "../runtime.ts";
import { BoundCarrier } from "./tcp/bound.ts";
import { connectWithin } from "./tcp/dial.ts";
import { DialedCarrier } from "./tcp/dialed.ts";
import { checkOptions, type TcpOptions } from "./tcp/limits.ts";
import { shakeHands } from "./tls/handshake.ts";

export type { PemOptions } from "./pem.ts";
export type { FramingName } from "./tcp/framing.ts";
export type { TcpOptions } from "./tcp/limits.ts";

/** How TLS connections carry messages, and which certificates are trusted. */
export interface TlsOptions extends TcpOptions, PemOptions {
  /**
   * How long a TLS handshake may take, at either end: milliseconds, 1 to
   * 2^31 - 1, or `Infinity`.
   * @default {10000, or `messageMs` if that is shorter}
   */
  handshakeMs?: number | undefined;
}

/**
 * Returns a source of TLS connections, for `tls://` addresses.
 *
 * Everything that {@linkcode tcp} documents holds. `stats.connections` also
 * counts `handshake`: handshakes that failed or took too long. Any client can
 * connect: clients show no certificate.
 *
 * @throws {RangeError} An option is out of range.
 * @throws {TypeError} An option is of the wrong type, or not PEM.
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
export function tls(options: TlsOptions = {}): CarrierSource {
  const { cert, key, caCerts, serverName } = checkPem("tls", options);
  const checked = checkOptions(options);
  return {
    schemes: ["tls"],
    listen({ hostname, port }: NetAddr) {
      requireDeno("TLS");
      if (cert === undefined || key === undefined) {
        throw new TypeError("a TLS server needs cert and key");
      }
      try {
        const listener = Deno.listenTls({ hostname, port, cert, key });
        return new BoundCarrier(listener, checked, "tls");
      } catch (error) {
        throw certificateFailure(error);
      }
    },
    async dial(remote: NetAddr, options?: DialOptions) {
      const { hostname } = remote;
      const tcp = await connectWithin(checked.sendMs, remote, options);
      try {
        const conn = await Deno.startTls(tcp, {
          hostname: serverName ?? hostname,
          ...(caCerts !== undefined && { caCerts }),
        });
        await shakeHands(conn, checked.handshakeMs, options);
        return new DialedCarrier(conn, checked, "tls");
      } catch (error) {
        close(tcp);
        throw handshakeFailure(error);
      }
    },
  };
}

/** Closes a connection, unless TLS has taken it over. */
function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // It is part of the TLS connection, which is closed.
  }
}
