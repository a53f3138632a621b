import type { Fragment } from "./outcomes.ts";
import type { CaptureStats } from "./stats.ts";

const MAX_DATAGRAMS = 1024;
const MAX_BYTES = 16 * 1024 * 1024;
// What a fragment takes in memory besides its bytes.
const OVERHEAD = 128;
// How long a receiver waits for the rest: its number may come again for another.
const PATIENCE_NS = 30_000_000_000n;
// The most that IP's lengths allow.
const MAX_LENGTH = 65_535;

/** Fragments of one datagram. */
interface Group {
  readonly since: bigint | undefined;
  readonly pieces: { offset: number; data: Uint8Array }[];
  /** How many came, those that came twice included. */
  packets: number;
  bytes: number;
  /** The length of the whole, if the last fragment came. */
  length: number | undefined;
}

/**
 * Puts fragments together, of at most 1,024 datagrams and 16 MiB at a time; the
 * oldest are given up. Those that overlap are given up as well (RFC 5722).
 */
export class Fragments {
  readonly #stats: CaptureStats;
  readonly #groups = new Map<string, Group>();
  #bytes = 0;

  constructor(stats: CaptureStats) {
    this.#stats = stats;
  }

  /** Takes a fragment. @returns The whole if it was the last that was missing. */
  add(fragment: Fragment, time: bigint | undefined): Uint8Array | undefined {
    const { key, offset, isLast, data } = fragment;
    const end = offset + data.length;
    if (end > MAX_LENGTH || data.length === 0 || !isLast && end % 8 !== 0) {
      this.#stats.malformed++;
      return undefined;
    }
    const group = this.#groupFor(key, time);
    group.packets++;
    this.#stats.waiting++;
    if (group.pieces.some((piece) => isSame(piece, fragment))) return undefined;
    const isOutside = isLast
      ? group.pieces.some((piece) => piece.offset >= end) ||
        (group.length ?? end) !== end
      : end > (group.length ?? Infinity);
    if (isOutside || group.pieces.some((piece) => overlap(piece, fragment))) {
      this.#giveUp(key, group);
      return undefined;
    }
    if (isLast) group.length = end;
    group.pieces.push({ offset, data: data.slice() });
    group.bytes += data.length;
    this.#bytes += data.length + OVERHEAD;
    if (group.bytes === group.length) return this.#join(key, group);
    this.#makeRoom();
    return undefined;
  }

  /** Gives up all that wait. */
  end(): void {
    for (const [key, group] of this.#groups) this.#giveUp(key, group);
  }

  #groupFor(key: string, time: bigint | undefined): Group {
    const known = this.#groups.get(key);
    if (known !== undefined) {
      const isOld = time !== undefined && known.since !== undefined &&
        time - known.since > PATIENCE_NS;
      if (!isOld) return known;
      this.#giveUp(key, known);
    }
    const group: Group = {
      since: time,
      pieces: [],
      packets: 0,
      bytes: 0,
      length: undefined,
    };
    this.#groups.set(key, group);
    return group;
  }

  #join(key: string, group: Group): Uint8Array {
    const whole = new Uint8Array(group.bytes);
    for (const { offset, data } of group.pieces) whole.set(data, offset);
    this.#remove(key, group);
    // The caller counts the last one.
    this.#stats.joined += group.packets - 1;
    return whole;
  }

  #makeRoom(): void {
    for (const [key, group] of this.#groups) {
      if (this.#groups.size <= MAX_DATAGRAMS && this.#bytes <= MAX_BYTES) {
        return;
      }
      this.#giveUp(key, group);
    }
  }

  #giveUp(key: string, group: Group): void {
    this.#remove(key, group);
    this.#stats.incomplete += group.packets;
  }

  #remove(key: string, group: Group): void {
    this.#groups.delete(key);
    this.#stats.waiting -= group.packets;
    this.#bytes -= group.bytes + OVERHEAD * group.pieces.length;
  }
}

/** What {@linkcode overlap} compares. */
type Extent = Pick<Fragment, "offset" | "data">;

/** Whether one is the other again, as where a capture saw it on two interfaces. */
function isSame(a: Extent, b: Extent): boolean {
  return a.offset === b.offset && a.data.length === b.data.length &&
    a.data.every((byte, i) => byte === b.data[i]);
}

function overlap(a: Extent, b: Extent): boolean {
  return a.offset < b.offset + b.data.length &&
    b.offset < a.offset + a.data.length;
}
