/** What a source of QUIC carriers has counted, over all its carriers. */
export interface QuicStats {
  /** Connections that are open now. */
  readonly peers: number;
  /** Clients that are in their handshake now. */
  readonly handshakes: number;
  /** Connections that were opened. */
  readonly admitted: number;
  /**
   * Clients that a server rejected, by reason: `busy` (too many handshakes at a
   * time), `full` (too many peers), `handshake` (it failed: no common protocol,
   * or the client did not trust the certificate), `slow` (it took too long),
   * `hello` (the client sent none, or an invalid one), `token` (it was missing or
   * wrong). Packets that are not QUIC are dropped by Deno and not counted.
   */
  readonly refused: Readonly<
    Record<"busy" | "full" | "handshake" | "slow" | "hello" | "token", number>
  >;
  /** What was sent: as QUIC datagrams, and as messages on a stream. */
  readonly sent: { readonly datagrams: number; readonly messages: number };
  /** What was received: as QUIC datagrams, and as messages on a stream. */
  readonly received: { readonly datagrams: number; readonly messages: number };
}

/** The same counts while they are being counted. */
export interface Counts extends QuicStats {
  peers: number;
  handshakes: number;
  admitted: number;
  refused: Record<keyof QuicStats["refused"], number>;
  sent: { datagrams: number; messages: number };
  received: { datagrams: number; messages: number };
}

/** Returns counts that are all 0. */
export function noCounts(): Counts {
  return {
    peers: 0,
    handshakes: 0,
    admitted: 0,
    refused: { busy: 0, full: 0, handshake: 0, slow: 0, hello: 0, token: 0 },
    sent: { datagrams: 0, messages: 0 },
    received: { datagrams: 0, messages: 0 },
  };
}

/** What a carrier lost of what was sent to it, and of what it sent. */
export interface Drops {
  /** Datagrams that a peer sent and that did not arrive. */
  lost: number;
  /** Messages that were sent and that the peer did not confirm. */
  unconfirmed: number;
}
