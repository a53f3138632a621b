/** How a packet writes its times: as NTP does, or as PTPv2 does, truncated. */
export type TimeFormat = "ntp" | "ptp";

/** How good the clock behind a time is (RFC 4656, section 4.1.2). */
export interface ErrorEstimate {
  /** Whether an external source, such as GPS, keeps the clock at UTC. */
  readonly synchronized: boolean;
  /** The form of the times in the same part of the packet (RFC 8186). */
  readonly format: TimeFormat;
  /** How far the clock may be off, in milliseconds. */
  readonly errorMs: number;
}

// From 1900, where NTP begins, to 1970.
const UNIX_S = 2_208_988_800;
const TWO_32 = 2 ** 32;
const NS_PER_MS = 1e6;

const SYNCHRONIZED = 0x8000;
const PTP = 0x4000;
const MAX_SCALE = 63;
const MAX_MULTIPLIER = 255;

/**
 * Writes a time as 8 bytes. NTP's seconds begin again in 2036, those of PTP in
 * 2106.
 *
 * @param ms Milliseconds since 1970; in this century, to 0.25 microseconds.
 */
export function writeTime(
  view: DataView,
  offset: number,
  ms: number,
  format: TimeFormat = "ntp",
): void {
  const seconds = Math.floor(ms / 1000);
  const rest = ms - seconds * 1000;
  if (format === "ptp") {
    view.setUint32(offset, seconds % TWO_32);
    view.setUint32(
      offset + 4,
      Math.min(999_999_999, Math.round(rest * NS_PER_MS)),
    );
  } else {
    view.setUint32(offset, (seconds + UNIX_S) % TWO_32);
    view.setUint32(
      offset + 4,
      Math.min(TWO_32 - 1, Math.round(rest / 1000 * TWO_32)),
    );
  }
}

/**
 * Reads a time of 8 bytes. NTP's seconds are taken for those of 1968 to 2104.
 *
 * @returns Milliseconds since 1970. PTP's clock, which knows no leap seconds, is
 * ahead of UTC: 37 seconds since 2017.
 */
export function readTime(
  view: DataView,
  offset: number,
  format: TimeFormat,
): number {
  const seconds = view.getUint32(offset);
  const rest = view.getUint32(offset + 4);
  if (format === "ptp") return seconds * 1000 + rest / NS_PER_MS;
  const era = seconds < TWO_32 / 2 ? TWO_32 : 0;
  return (seconds + era - UNIX_S) * 1000 + rest / TWO_32 * 1000;
}

/** Writes an error estimate as 2 bytes, rounded up. */
export function writeError(
  view: DataView,
  offset: number,
  { synchronized, format, errorMs }: ErrorEstimate,
): void {
  let units = Math.max(1, Math.ceil(errorMs / 1000 * TWO_32));
  let scale = 0;
  while (units > MAX_MULTIPLIER && scale < MAX_SCALE) {
    units = Math.ceil(units / 2);
    scale++;
  }
  const flags = (synchronized ? SYNCHRONIZED : 0) |
    (format === "ptp" ? PTP : 0);
  view.setUint16(offset, flags | scale << 8 | Math.min(units, MAX_MULTIPLIER));
}

/** Reads an error estimate of 2 bytes. */
export function readError(view: DataView, offset: number): ErrorEstimate {
  const bits = view.getUint16(offset);
  const scale = bits >> 8 & MAX_SCALE;
  return {
    synchronized: (bits & SYNCHRONIZED) !== 0,
    format: (bits & PTP) !== 0 ? "ptp" : "ntp",
    errorMs: (bits & MAX_MULTIPLIER) * 2 ** scale / TWO_32 * 1000,
  };
}
