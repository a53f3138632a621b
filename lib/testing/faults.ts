import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/**
 * What a link does to the datagrams that cross it. Probabilities are 0 to 1 and
 * are drawn for each datagram; what is left out does not happen.
 */
export interface Faults {
  /** How probably a datagram is lost. @default {0} */
  loss?: number;
  /** How probably it comes twice. @default {0} */
  duplicate?: number;
  /**
   * How probably it is held back by up to 20 ms more, so that later ones
   * overtake it. Without it a link keeps the order, whatever its delay.
   * @default {0}
   */
  reorder?: number;
  /**
   * How probably one bit of it is wrong. (A real UDP checksum finds most such
   * errors, and the system then drops the datagram.)
   * @default {0}
   */
  corrupt?: number;
  /**
   * How long it takes, in milliseconds: evenly between the two.
   * @default {0, 0}
   */
  delayMs?: { min: number; max: number };
  /** Longer datagrams, in bytes, are dropped. @default {no limit} */
  mtu?: number;
  /**
   * Bits a second. Each datagram takes its bytes and 28 of headers (IPv4 and
   * UDP: RFC 791, RFC 768).
   * @default {no limit}
   */
  bandwidth?: number;
  /**
   * How many datagrams may wait for `bandwidth`; more are dropped.
   * @default {1024}
   */
  queue?: number;
}

/** What becomes of one copy of a datagram. */
export interface Passage {
  /** Why it is dropped, or that it passes. */
  fate: "passed" | "lost" | "overMtu" | "queueFull";
  /** When it arrives, on the clock of `cross`; for `passed`. */
  at: number;
  /** Which bit is flipped, counted from the first byte's lowest. */
  flippedBit?: number;
}

const HEADER_BYTES = 28;
const HELD_BACK_MS = 20;

const PROBABILITIES = ["loss", "duplicate", "reorder", "corrupt"] as const;

/** What chance decides for one copy of a datagram. */
interface Chances {
  lost: boolean;
  delay: number;
  holdMs: number | undefined;
  flippedBit: number | undefined;
}

/**
 * One direction of a link: decides by its seed what becomes of each datagram.
 * The same datagrams at the same times meet the same fates. Each takes as many
 * random numbers whatever its fate and for a copy that is not made, so that
 * changing one fault leaves what the others decide alone.
 */
export class Link {
  readonly #random: () => number;
  #faults: Required<Faults>;
  #departures: number[] = [];
  #freeAt = 0;
  #lastArrival = 0;

  constructor(seed: number, faults: Faults) {
    const generator = xoroshiro128plus(seed);
    this.#random = () => uniformFloat64(generator);
    this.#faults = checkFaults(faults);
  }

  /** Changes the faults from now on; those left out stay. */
  set(faults: Faults): void {
    this.#faults = checkFaults(faults, this.#faults);
  }

  /** One datagram of that size sets out at that time: one passage, or two. */
  cross(size: number, now: number): Passage[] {
    const twice = this.#random() < this.#faults.duplicate;
    const first = this.#draw(size);
    const second = this.#draw(size);
    const passage = this.#cross(size, now, first);
    return twice ? [passage, this.#cross(size, now, second)] : [passage];
  }

  #draw(size: number): Chances {
    const { loss, corrupt, reorder, delayMs: { min, max } } = this.#faults;
    const lost = this.#random() < loss;
    const corrupted = this.#random() < corrupt && size > 0;
    const bit = Math.floor(this.#random() * size * 8);
    const delay = min + this.#random() * (max - min);
    const heldBack = this.#random() < reorder;
    const holdMs = this.#random() * HELD_BACK_MS;
    return {
      lost,
      delay,
      holdMs: heldBack ? holdMs : undefined,
      flippedBit: corrupted ? bit : undefined,
    };
  }

  #cross(
    size: number,
    now: number,
    { lost, delay, holdMs, flippedBit }: Chances,
  ): Passage {
    if (size > this.#faults.mtu) return { fate: "overMtu", at: now };
    const departure = this.#depart(size, now);
    if (departure === undefined) return { fate: "queueFull", at: now };
    if (lost) return { fate: "lost", at: departure };
    let at = departure + delay;
    if (holdMs !== undefined) at += holdMs;
    else this.#lastArrival = at = Math.max(at, this.#lastArrival);
    return flippedBit === undefined
      ? { fate: "passed", at }
      : { fate: "passed", at, flippedBit };
  }

  /** When its last bit is on the way, or `undefined` where too many wait. */
  #depart(size: number, now: number): number | undefined {
    const { bandwidth, queue } = this.#faults;
    if (bandwidth === Infinity) return now;
    const waiting = this.#departures.findIndex((at) => at > now);
    this.#departures.splice(0, waiting < 0 ? Infinity : waiting);
    if (this.#departures.length >= queue) return undefined;
    const seconds = (size + HEADER_BYTES) * 8 / bandwidth;
    this.#freeAt = Math.max(this.#freeAt, now) + seconds * 1000;
    this.#departures.push(this.#freeAt);
    return this.#freeAt;
  }
}

/**
 * A seed for one of many links, which all follow from one seed: FNV-1a, and then
 * MurmurHash3's last step. Without that, names that end alike have seeds that
 * are alike, and the first number of a generator hardly differs from its seed.
 */
export function seedOf(seed: number, name: string): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < name.length; i++) {
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Flips one bit, counted from the first byte's lowest, in a copy. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[bit >> 3] ^= 1 << (bit & 7);
  return copy;
}

const NO_FAULTS: Required<Faults> = {
  loss: 0,
  duplicate: 0,
  reorder: 0,
  corrupt: 0,
  delayMs: { min: 0, max: 0 },
  mtu: Infinity,
  bandwidth: Infinity,
  queue: 1024,
};

/**
 * All faults: those that are given, and for those that are left out others.
 *
 * @throws {RangeError} One of them cannot be.
 */
export function checkFaults(
  faults: Faults,
  others: Required<Faults> = NO_FAULTS,
): Required<Faults> {
  const given = Object.entries(faults)
    .filter(([_, value]) => value !== undefined);
  const checked = { ...others, ...Object.fromEntries(given) as Faults };
  const refuse = (name: string, wanted: string, given: unknown) => {
    throw new RangeError(
      `Cannot simulate: ${name} must be ${wanted}: given ${given}`,
    );
  };
  for (const name of PROBABILITIES) {
    const given = checked[name];
    if (!(given >= 0 && given <= 1)) refuse(name, "from 0 to 1", given);
  }
  const { min, max } = checked.delayMs;
  if (!(min >= 0 && min <= max && max < Infinity)) {
    refuse("delayMs", "{ min, max } with 0 <= min <= max", `${min}..${max}`);
  }
  for (const name of ["mtu", "bandwidth", "queue"] as const) {
    if (!(checked[name] > 0)) refuse(name, "above 0", checked[name]);
  }
  return checked;
}
