import type { QuicStats } from "../quic.ts";

/** What the carriers of one source count together. */
export interface Counts extends Omit<QuicStats, "refused"> {
  peers: number;
  handshakes: number;
  admitted: number;
  refused: Record<keyof QuicStats["refused"], number>;
  sent: { datagrams: number; messages: number };
  received: { datagrams: number; messages: number };
}

/** What a carrier lost of what was sent to it, and of what it sent. */
export interface Drops {
  /** Datagrams that a peer sent and that never came. */
  lost: number;
  /** Messages that were sent and that a peer did not confirm. */
  unconfirmed: number;
}
