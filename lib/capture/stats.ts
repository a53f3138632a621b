/**
 * What a capture held, by packets: packets = datagrams + joined + incomplete +
 * waiting + cut + malformed + all of `others`.
 */
export interface CaptureStats {
  /** Packets that were read. */
  packets: number;
  /** UDP datagrams that were returned. */
  datagrams: number;
  /** Fragments of those datagrams, besides the last of each. */
  joined: number;
  /** Fragments of UDP datagrams that never became whole. */
  incomplete: number;
  /** Fragments that wait for others; 0 at the end. */
  waiting: number;
  /** Packets of which the file holds only a part, without all of a datagram. */
  cut: number;
  /** Packets whose lengths contradict each other. */
  malformed: number;
  /** Packets that are not UDP, by kind, such as `{ tcp: 12, arp: 3 }`. */
  others: Record<string, number>;
}

/** Returns counts that are all zero. */
export function noCaptureStats(): CaptureStats {
  return {
    packets: 0,
    datagrams: 0,
    joined: 0,
    incomplete: 0,
    waiting: 0,
    cut: 0,
    malformed: 0,
    others: {},
  };
}

/** Returns a copy. */
export function copyStats(stats: CaptureStats): CaptureStats {
  return { ...stats, others: { ...stats.others } };
}
