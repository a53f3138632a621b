/**
 * How often something may happen: so many times a second, as a number, or with
 * how many may come at once. `Infinity` sets no limit.
 */
export type Rate = number | {
  /** Times a second, over any longer time; a fraction will do. */
  perSecond: number;
  /**
   * How many may come at once, a whole number from 1.
   * @default {what comes in a second, at least 1}
   */
  burst?: number;
};

// Of 100-odd bytes each: some 10 MB when a flood of forged sources fills it.
const MAX_ENTRIES = 16_384;

/**
 * A map that forgets its oldest entries when it is full, so that a flood of
 * forged sources cannot make it grow. It forgets by generations: to delete the
 * oldest entry of a `Map` one by one takes time that grows with its size.
 */
export class BoundedMap<V> {
  readonly #make: (key: string) => V;
  readonly #size: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  /**
   * @param make Makes what a key has that is not there.
   * @param size How many entries it holds at most.
   */
  constructor(make: (key: string) => V, size = MAX_ENTRIES) {
    this.#make = make;
    this.#size = size;
  }

  /** How many entries it holds. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): V {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const value = this.#old.get(key) ?? this.#make(key);
    if (this.#young.size * 2 >= this.#size) {
      this.#old = this.#young;
      this.#young = new Map();
    } else this.#old.delete(key);
    this.#young.set(key, value);
    return value;
  }
}

/** A token bucket: full at first, and filled again at its rate. */
export class Bucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  /** @param now Milliseconds, as in {@linkcode Bucket.take}. */
  constructor(
    { perSecond, burst }: Required<Exclude<Rate, number>>,
    now: number,
  ) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  /** Takes one, if there is one. */
  take(now: number): boolean {
    this.#tokens = Math.min(
      this.#burst,
      this.#tokens + (now - this.#at) * this.#perMs,
    );
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

/**
 * A rate with its burst; `undefined` where there is no limit.
 *
 * @throws {RangeError} A number that makes no sense, under the option's name.
 */
export function checkRate(
  name: string,
  rate: Rate | undefined,
): Required<Exclude<Rate, number>> | undefined {
  if (rate === undefined || rate === Infinity) return undefined;
  const { perSecond, burst = Math.max(1, Math.ceil(perSecond)) } =
    typeof rate === "number" ? { perSecond: rate } : rate;
  if (!(perSecond > 0) || Number.isNaN(perSecond)) {
    throw new RangeError(
      `Cannot open a socket: ${name} must be more than 0 a second: given ${perSecond}`,
    );
  }
  if (perSecond === Infinity) return undefined;
  if (!Number.isInteger(burst) || burst < 1) {
    throw new RangeError(
      `Cannot open a socket: the burst of ${name} must be a whole number from 1: given ${burst}`,
    );
  }
  return { perSecond, burst };
}
