/**
 * Messages over TLS, for `tls://` addresses: as over TCP, but encrypted, and the
 * client checks the server's certificate.
 *
 * @module
 */
import type { NetAddr } from "../addr.ts";
import type { CarrierSource } from "../carrier.ts";
import { certificateFailure, checkPem, type PemOptions } from "./pem.ts";
import { BoundCarrier } from "./tcp/bound.ts";
import { connectWithin } from "./tcp/dial.ts";
import { DialedCarrier } from "./tcp/dialed.ts";
import { checkOptions, type TcpOptions } from "./tcp/limits.ts";
import { shakeHands } from "./tls/handshake.ts";

export type { PemOptions } from "./pem.ts";
export type { FramingName } from "./tcp/framing.ts";
export type { TcpOptions } from "./tcp/limits.ts";

/** How TLS connections carry messages, and which certificates are trusted. */
export interface TlsOptions extends TcpOptions, PemOptions {}

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
export function tls(options: TlsOptions): CarrierSource {
  const { cert, key, caCerts, serverName, ...limits } = options;
  checkPem("tls", { cert, key, caCerts, serverName });
  const checked = checkOptions(limits);
  const trusted = caCerts && [...caCerts];
  return {
    schemes: ["tls"],
    listen({ hostname, port }: NetAddr) {
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
    async dial(remote: NetAddr) {
      const tcp = await connectWithin(checked.sendMs, remote);
      const conn = await Deno.startTls(tcp, {
        hostname: serverName ?? remote.hostname,
        caCerts: trusted,
      });
      await shakeHands(conn, checked.messageMs);
      return new DialedCarrier(conn, checked, "tls");
    },
  };
}
