import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { outOfRange, wrongType } from "../check.ts";
import { cannot, fieldsOf, quote, withFields } from "../errors.ts";

/**
 * What a link does to the datagrams that cross it, such as packet loss.
 * Probabilities are numbers from 0 to 1 and are drawn for each datagram. A fault
 * that is not given does not happen.
 */
export interface Faults {
  /** Probability that a datagram is lost. @default {0} */
  loss?: number | undefined;
  /** Probability that a datagram arrives twice. @default {0} */
  duplicate?: number | undefined;
  /**
   * Probability that a datagram is held back by up to 20 ms more, so that those
   * sent in the meantime overtake it. A protocol that sends its next datagram
   * later than that is never reordered. Without it a link keeps the order,
   * whatever its delay.
   * @default {0}
   */
  reorder?: number | undefined;
  /**
   * Probability that one bit of a datagram is flipped. (A real UDP checksum
   * detects most such errors, and the system then drops the datagram.)
   * @default {0}
   */
  corrupt?: number | undefined;
  /**
   * How long a datagram takes, in milliseconds: evenly distributed between the
   * two.
   * @default {{ min: 0, max: 0 }}
   */
  delayMs?: { min: number; max: number } | undefined;
  /** The largest datagram that passes, in bytes. @default {no limit} */
  mtu?: number | undefined;
  /**
   * Bits per second. Each datagram takes its bytes and 28 bytes of headers (IPv4
   * and UDP: RFC 791, RFC 768).
   * @default {no limit}
   */
  bandwidth?: number | undefined;
  /**
   * How many datagrams may wait for `bandwidth`; more are dropped.
   * @default {1024}
   */
  queue?: number | undefined;
}

/** All faults, checked. */
export interface CheckedFaults {
  readonly loss: number;
  readonly duplicate: number;
  readonly reorder: number;
  readonly corrupt: number;
  readonly delayMs: { readonly min: number; readonly max: number };
  readonly mtu: number;
  readonly bandwidth: number;
  readonly queue: number;
}

/** What happens to one copy of a datagram. */
export interface Passage {
  /** Why it is dropped, or that it passes. */
  fate: "passed" | "lost" | "overMtu" | "queueFull";
  /** When it arrives if it passes, on the clock of `cross`. */
  at: number;
  /** Which bit is flipped, counted from the first byte's lowest. */
  flippedBit?: number;
  /** Whether it is held back, so that later ones may overtake it. */
  reordered?: boolean;
}

const ACTION = "simulate faults";
const HEADER_BYTES = 28;
const HELD_BACK_MS = 20;

const PROBABILITIES = ["loss", "duplicate", "reorder", "corrupt"] as const;

/** What the random numbers decide for one copy of a datagram. */
interface Chances {
  lost: boolean;
  delay: number;
  holdMs: number | undefined;
  flippedBit: number | undefined;
}

/**
 * One direction of a link. It decides what happens to each datagram: the same
 * seed, datagrams and times give the same decisions. Each datagram takes the same
 * number of random numbers, whatever its fate and even if no copy of it is made,
 * so that changing one fault does not change what the others decide.
 */
export class Link {
  readonly #random: () => number;
  #faults: CheckedFaults;
  #departures: number[] = [];
  #freeAt = 0;
  #lastArrival = 0;

  constructor(seed: number, faults: Faults) {
    const generator = xoroshiro128plus(seed);
    this.#random = () => uniformFloat64(generator);
    this.#faults = checkFaults(faults);
  }

  /** Changes faults from now on; those that are not given stay. */
  set(faults: Faults): void {
    this.#faults = checkFaults(faults, this.#faults);
  }

  /** Decides about a datagram of that size, sent at that time: one passage, or two. */
  cross(size: number, now: number): [Passage, ...Passage[]] {
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
    return {
      fate: "passed",
      at,
      ...(flippedBit !== undefined && { flippedBit }),
      ...(holdMs !== undefined && { reordered: true }),
    };
  }

  /** Returns when its last bit has left, or `undefined` if too many wait. */
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
 * Derives the seed of one of many links from the seed of all: FNV-1a, and then
 * MurmurHash3's last step. Without the latter, names with similar ends have
 * similar seeds, and the first number of a generator hardly differs from its
 * seed.
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

/** Returns a copy with one bit flipped, counted from the first byte's lowest. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy.set([(copy[bit >> 3] ?? 0) ^ 1 << (bit & 7)], bit >> 3);
  return copy;
}

const NO_FAULTS: CheckedFaults = {
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
 * Checks faults and completes them with others.
 *
 * @throws {RangeError} One of them is out of range.
 * @throws {TypeError} They are no object, or there is no such fault.
 */
export function checkFaults(
  faults: Faults,
  others: CheckedFaults = NO_FAULTS,
): CheckedFaults {
  const checked = { ...others, ...given(faults) } as CheckedFaults;
  const check = (name: string, value: unknown, from: number, to: number) => {
    if (typeof value === "number" && value >= from && value <= to) return;
    const upTo = to === Number.MAX_VALUE ? "" : ` to ${to}`;
    throw outOfRange(ACTION, name, `a number from ${from}${upTo}`, value);
  };
  for (const name of PROBABILITIES) check(name, checked[name], 0, 1);
  const { min, max } = checked.delayMs ?? {};
  check("delayMs.max", max, 0, Number.MAX_VALUE);
  check("delayMs.min", min, 0, max);
  for (const name of ["mtu", "bandwidth", "queue"] as const) {
    const value: unknown = checked[name];
    if (typeof value === "number" && value > 0) continue;
    throw outOfRange(ACTION, name, "a number above 0", value);
  }
  return checked;
}

/**
 * Copies the faults that are given: those that are not `undefined`.
 *
 * @throws {TypeError} They are no object, or there is no such fault.
 */
export function given(faults: Faults): Faults {
  if (!isObject(faults)) {
    throw wrongType(ACTION, "faults", "an object", faults);
  }
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(faults)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(NO_FAULTS, name)) {
      const why = `there is no fault ${quote(name)}`;
      throw withFields(new TypeError(cannot(ACTION, why)), fieldsOf(ACTION));
    }
    copy[name] = isObject(value) ? { ...value } : value;
  }
  return copy;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/**
 * Checks a seed.
 *
 * @throws {RangeError} Not a whole number.
 */
export function checkSeed(seed: unknown): number {
  if (Number.isSafeInteger(seed)) return seed as number;
  throw outOfRange(ACTION, "seed", "a whole number", seed);
}
