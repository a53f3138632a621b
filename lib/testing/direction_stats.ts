/**
 * Datagrams of one direction by fate: received + duplicated = forwarded + lost +
 * dropped + overMtu + queueFull + notSent + inFlight.
 */
export interface DirectionStats {
  /** Datagrams that the relay received. */
  received: number;
  /** Copies that the relay made. */
  duplicated: number;
  /** Datagrams that the relay sent on. */
  forwarded: number;
  /** Dropped by `loss`, or by a `burst`. */
  lost: number;
  /** Dropped by a rule. */
  dropped: number;
  /** Dropped because they were longer than `mtu`. */
  overMtu: number;
  /** Dropped because too many waited. */
  queueFull: number;
  /** The system did not send them, or their session ended before their time. */
  notSent: number;
  /** Still held, or being sent. */
  inFlight: number;
  /** Of `forwarded`: with a bit that `corrupt` flipped. */
  corrupted: number;
  /** Of `forwarded`: held back by `reorder`. */
  reordered: number;
  /** Of `forwarded`: duplicated, delayed or changed by a rule. */
  ruled: number;
}

/** Returns counts that are all zero. */
export function noCounts(): DirectionStats {
  return {
    received: 0,
    duplicated: 0,
    forwarded: 0,
    lost: 0,
    dropped: 0,
    overMtu: 0,
    queueFull: 0,
    notSent: 0,
    inFlight: 0,
    corrupted: 0,
    reordered: 0,
    ruled: 0,
  };
}
