/**
 * QUIC as a carrier: encrypted datagrams, or reliable messages, between ends
 * that know whom they talk to.
 *
 * What goes over a connection (its ALPN is `pli/1`; numbers are big-endian): the
 * client opens a bidirectional stream and says hello: flags (1 byte; 1 is for
 * reliable), the longest message that it takes (4), the token's length (2), the
 * token. The server answers on that stream: flags, longest message. From then on
 * messages are QUIC datagrams or, where one of the flags is set, follow each
 * other on one unidirectional stream for each direction, each after its length
 * (4). On the first stream either end may say in 9 bytes, a kind and a count: 1,
 * so many messages are taken; 2, so many datagrams were sent; 3, goodbye after so
 * many messages; 4, the answer to a goodbye: so many of them are taken. Who gets
 * it closes the connection, with code 0.
 *
 * @module
 */
import type { NetAddr } from "../addr.ts";
import type { Carrier, CarrierSource } from "../carrier.ts";
import { localHostFor } from "./peers.ts";
import { resolveHost } from "./resolve.ts";
import type { Counts } from "./quic/counts.ts";
import { dial } from "./quic/dialled.ts";
import { Listener } from "./quic/listener.ts";
import { settingsOf } from "./quic/settings.ts";

/** How {@linkcode quic} connects, and whom it lets in. */
export interface QuicOptions {
  /**
   * A server's certificate, in PEM, with those that signed it if need be.
   * @default {none: it can only connect}
   */
  cert?: string;
  /** The private key of `cert`, in PEM. */
  key?: string;
  /**
   * Whom a client believes besides the well-known authorities: certificates in
   * PEM, a server's own where it is self-signed.
   */
  caCerts?: string[];
  /**
   * The name that the server's certificate has to be for.
   * @default {the host that is connected to}
   */
  serverName?: string;
  /**
   * A secret that both ends know, 1 to 1024 bytes. A server that has one lets in
   * only clients that have the same; they send it encrypted, once the server has
   * shown its certificate.
   * @default {none: everybody is let in}
   */
  token?: string;
  /**
   * Whether messages go on a QUIC stream rather than as QUIC datagrams; a
   * connection does so when either end wants it. Then each message is delivered,
   * once and in order, or the connection breaks, and those that the peer had not
   * confirmed by then are counted in `dropped.unconfirmed`. There is one stream
   * for each direction of a connection, so a lost packet holds back all that was
   * sent after it until it is sent again (head-of-line blocking); a stream for
   * each message would avoid that, at about a tenth of the speed. To a peer that
   * does not take them sends wait, and after `idleMs` it is let go.
   *
   * Without it a datagram may be lost, and come out of order.
   * @default {false}
   */
  reliable?: boolean;
  /**
   * The longest message, in bytes, 1 to 64 MiB; a connection has the smaller
   * limit of its ends. A datagram holds less: 1,162 bytes at first and, where the
   * path allows it, about 1,400 a second later. Make `maxSize` of the socket as
   * large.
   * @default {65527}
   */
  maxMessage?: number;
  /**
   * How many peers a server keeps at a time; more are refused. Each may cost up
   * to 2.5 MB of what the system buffers, and `maxMessage` besides.
   * @default {256}
   */
  maxPeers?: number;
  /**
   * How many callers may be in their handshake at a time, none of whom has to
   * be at the address that he calls from. More are refused.
   * @default {64}
   */
  maxHandshakes?: number;
  /** How long a handshake may take, in milliseconds. @default {5000} */
  handshakeMs?: number;
  /**
   * After how long a peer of whom nothing is heard is forgotten, in
   * milliseconds. The smaller one of both ends holds.
   * @default {30000}
   */
  idleMs?: number;
  /**
   * How often a client shows that it is still there while it has nothing to
   * send, in milliseconds.
   * @default {10000}
   */
  keepAliveMs?: number;
}

/** What a source of QUIC carriers has counted, over all of them. */
export interface QuicStats {
  /** Connections that are open now. */
  readonly peers: number;
  /** Callers in their handshake now. */
  readonly handshakes: number;
  /** Connections that were opened. */
  readonly admitted: number;
  /**
   * Callers that a server did not let in: `busy` (too many handshakes at a
   * time), `full` (too many peers), `handshake` (it failed: no common protocol,
   * or the client did not believe the certificate), `slow` (it was not over in
   * time), `hello` (it made none), `token` (it has another, or none). What is no
   * QUIC at all Deno throws away without a word.
   */
  readonly refused: Readonly<
    Record<"busy" | "full" | "handshake" | "slow" | "hello" | "token", number>
  >;
  /** What was sent, by the way that it went. */
  readonly sent: { readonly datagrams: number; readonly messages: number };
  /** What came, by the way that it came. */
  readonly received: { readonly datagrams: number; readonly messages: number };
}

/** What {@linkcode quic} gives. */
export interface QuicSource extends CarrierSource {
  /** What it has counted so far: a copy. */
  readonly stats: QuicStats;
}

/**
 * Carries datagrams by QUIC (RFC 9000, RFC 9221): encrypted, to a server that
 * shows a certificate, from clients that may have to know a token. A bound
 * socket has one peer for each connection, and can send to those only; a socket
 * that is disposed of (`await using`) says goodbye first, so that what it sent
 * arrives, while `close` does not. In `stats.dropped` are besides `queueFull`:
 * `lost` (datagrams that a peer sent and that did not come, as its goodbye
 * shows) and `unconfirmed` (see `reliable`).
 *
 * A socket that is open keeps the program running, whatever `unref` says. Its
 * port stays with the program until Deno's garbage collector runs, though a
 * socket that was disposed of can be bound again at once.
 *
 * @throws {RangeError} An option is out of range.
 * @throws {TypeError} `caCerts` are no certificates.
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
  const counts: Counts = {
    peers: 0,
    handshakes: 0,
    admitted: 0,
    refused: { busy: 0, full: 0, handshake: 0, slow: 0, hello: 0, token: 0 },
    sent: { datagrams: 0, messages: 0 },
    received: { datagrams: 0, messages: 0 },
  };
  return {
    schemes: ["quic"],
    listen: (address: NetAddr): Carrier =>
      new Listener(address, settings, counts),
    async dial({ hostname, port }: NetAddr): Promise<Carrier> {
      const host = await resolveHost(hostname);
      const { serverName = hostname } = settings;
      const from = localHostFor(host);
      return await dial(
        { hostname: host, port, serverName, from },
        settings,
        counts,
      );
    },
    get stats() {
      return structuredClone(counts);
    },
  };
}
