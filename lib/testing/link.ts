import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { drawDelay } from "./delays.ts";
import { type CheckedFaults, checkFaults, type Faults } from "./faults.ts";
import type { Decision } from "./rules.ts";

/** What happens to one copy of a datagram. */
export interface Passage {
  /** Why it is dropped, or that it passes. */
  fate: "passed" | "lost" | "dropped" | "overMtu" | "queueFull";
  /** When it arrives if it passes, on the clock of `cross`. */
  at: number;
  /** Which bit is flipped, counted from the first byte's lowest. */
  flippedBit?: number;
  /** Whether it is held back, so that later ones may overtake it. */
  reordered?: boolean;
}

const HEADER_BYTES = 28;
const HELD_BACK_MS = 20;

/** Decides what happens to the datagrams that go one way between two addresses. */
export interface Crossing {
  /** Uses other faults from now on: all of them, checked. */
  use(faults: CheckedFaults): void;
  /**
   * Decides about a datagram of that size, sent at that time: one passage, or two.
   *
   * @param decision What a rule has decided before.
   */
  cross(
    size: number,
    now: number,
    decision?: Decision,
  ): [Passage, ...Passage[]];
}

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
export class Link implements Crossing {
  readonly #random: () => number;
  // Apart from the others, so that these are the same without bursts, and
  // whatever the distribution of delays.
  readonly #randomBurst: () => number;
  readonly #randomDelay: () => number;
  #faults: CheckedFaults;
  #wasTwice = false;
  #isBurst = false;
  #departures: number[] = [];
  #freeAt = 0;
  #lastArrival = 0;

  constructor(seed: number, faults: Faults = {}) {
    this.#random = randomOf(seed);
    this.#randomBurst = randomOf(seedOf(seed, "burst"));
    this.#randomDelay = randomOf(seedOf(seed, "delay"));
    this.#faults = checkFaults(faults);
  }

  /** Changes faults from now on; those that are not given stay. */
  set(faults: Faults): void {
    this.use(checkFaults(faults, this.#faults));
  }

  use(faults: CheckedFaults): void {
    this.#faults = faults;
  }

  cross(
    size: number,
    now: number,
    decision?: Decision,
  ): [Passage, ...Passage[]] {
    const { duplicate, duplicateAgain = duplicate } = this.#faults;
    const probability = this.#wasTwice ? duplicateAgain : duplicate;
    const twice = this.#wasTwice = this.#random() < probability;
    this.#stepBurst();
    const first = this.#draw(size);
    const second = this.#draw(size);
    if (decision?.drop) return [{ fate: "dropped", at: now }];
    const ruledMs = decision?.delayMs ?? 0;
    const passage = this.#cross(size, now, first, ruledMs);
    return twice || decision?.duplicate
      ? [passage, this.#cross(size, now, second, ruledMs)]
      : [passage];
  }

  #draw(size: number): Chances {
    const { loss, burst, corrupt, reorder, delayMs } = this.#faults;
    const lostByItself = this.#random() < loss;
    const lost = this.#isBurst && this.#randomBurst() < burst.loss ||
      lostByItself;
    const corrupted = this.#random() < corrupt && size > 0;
    const bit = Math.floor(this.#random() * size * 8);
    const delay = drawDelay(delayMs, this.#random(), this.#randomDelay);
    const heldBack = this.#random() < reorder;
    const holdMs = this.#random() * HELD_BACK_MS;
    return {
      lost,
      delay,
      holdMs: heldBack ? holdMs : undefined,
      flippedBit: corrupted ? bit : undefined,
    };
  }

  /** Begins or ends a burst of losses. */
  #stepBurst(): void {
    const { enter, leave, loss } = this.#faults.burst;
    if (loss === 0) this.#isBurst = false;
    else if (this.#isBurst) this.#isBurst = this.#randomBurst() >= leave;
    else if (enter > 0) this.#isBurst = this.#randomBurst() < enter;
  }

  #cross(
    size: number,
    now: number,
    { lost, delay, holdMs, flippedBit }: Chances,
    ruledMs: number,
  ): Passage {
    if (size > this.#faults.mtu) return { fate: "overMtu", at: now };
    const departure = this.#depart(size, now);
    if (departure === undefined) return { fate: "queueFull", at: now };
    if (lost) return { fate: "lost", at: departure };
    let at = departure + delay + ruledMs + (holdMs ?? 0);
    if (holdMs === undefined && ruledMs === 0) {
      this.#lastArrival = at = Math.max(at, this.#lastArrival);
    }
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

/** Makes a source of even random numbers, from 0 to 1. */
function randomOf(seed: number): () => number {
  const generator = xoroshiro128plus(seed);
  return () => uniformFloat64(generator);
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
