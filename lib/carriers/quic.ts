/**
 * QUIC as a carrier: encrypted datagrams, or reliable messages, to a server that
 * shows a certificate, from clients that may have to know a token.
 *
 * The protocol (ALPN `pli/1`; all numbers are big-endian): the client opens a
 * bidirectional stream and sends a hello: flags (1 byte; 1 means reliable), the
 * longest message that it accepts (4 bytes), the token's length (2 bytes), the
 * token. The server replies on that stream with its flags and longest message.
 * From then on messages are QUIC datagrams. If either end has set the flag, they
 * are instead sent one after another on one unidirectional stream per direction,
 * each after its length (4 bytes). On the first stream either end may send
 * frames of a kind (1 byte) and a count (8 bytes): 1, the number of messages
 * taken so far, also while bytes of the next one arrive; 2, the number of datagrams sent; 3, goodbye, with the number of
 * messages sent; 4, the reply to a goodbye, with the number of messages taken.
 * The end that receives that reply closes the connection with code 0.
 *
 * @module
 */
import { requireDeno } from "../runtime.ts";
import type { NetAddr } from "../addr.ts";
import type { Carrier, CarrierSource, DialOptions } from "../carrier.ts";
import { localHostFor } from "./peers.ts";
import { noCounts, type QuicStats } from "./quic/counts.ts";
import { dial } from "./quic/dialed.ts";
import { Listener } from "./quic/listener.ts";
import { type QuicOptions, settingsOf } from "./quic/settings.ts";
import { resolveHost } from "./resolve.ts";

export type { PemOptions } from "./pem.ts";
export type { QuicStats } from "./quic/counts.ts";
export type { QuicOptions } from "./quic/settings.ts";

/** A source of QUIC carriers: what {@linkcode quic} returns. */
export interface QuicSource extends CarrierSource {
  /** What all its carriers have counted so far: a copy. */
  readonly stats: QuicStats;
}

/**
 * Returns a source that carries datagrams by QUIC (RFC 9000, RFC 9221), for
 * `quic://` addresses.
 *
 * A bound socket has one peer per connection and can send only to connected
 * peers. Over reliable connections its `send` resolves when the message is in
 * the peer's queue, and rejects with `Deno.errors.Busy` if that holds 1 MiB:
 * docs/carriers.md has the limits. `stats.connections.unread` counts the
 * connections that were closed because the peer took nothing. Disposing of a socket (`await using`) says goodbye first, so that what
 * it sent arrives; `close` does not. Besides `queueFull`, `stats.dropped`
 * counts `lost` (datagrams and messages that a peer sent and that did not
 * arrive, as its goodbye shows) and `unconfirmed` (see `reliable`).
 *
 * An open socket keeps the program running, even after `unref`. The program
 * keeps its port until Deno's garbage collector runs, but a socket that was
 * disposed of can be bound again at once.
 *
 * @throws {RangeError} An option is out of range.
 * @throws {TypeError} An option is of the wrong type, or not PEM.
 *
 * @example
 * ```ts ignore
 * import { bind, connect } from "@pli/datagram";
 * import { quic } from "@pli/datagram/quic";
 *
 * const cert = await Deno.readTextFile("cert.pem"); // deno task cert
 * const key = await Deno.readTextFile("key.pem");
 * await using socket = bind("quic://127.0.0.1:0", {
 *   carrier: quic({ cert, key, token: "s3cret" }),
 * });
 * await using client = await connect(socket.addr, {
 *   carrier: quic({ caCerts: [cert], token: "s3cret" }),
 * });
 * await client.send("Bonjour");
 * console.log((await socket.receive()).text());
 * ```
 */
export function quic(options: QuicOptions = {}): QuicSource {
  const settings = settingsOf(options);
  const counts = noCounts();
  return {
    schemes: ["quic"],
    listen(address: NetAddr): Carrier {
      requireDeno("QUIC");
      return new Listener(address, settings, counts);
    },
    async dial(
      { hostname, port }: NetAddr,
      options?: DialOptions,
    ): Promise<Carrier> {
      requireDeno("QUIC");
      const host = await resolveHost(hostname);
      const { serverName = hostname } = settings;
      const from = localHostFor(host);
      const target = { hostname: host, port, serverName, from };
      return await dial(target, settings, counts, options);
    },
    get stats() {
      return structuredClone(counts);
    },
  };
}
