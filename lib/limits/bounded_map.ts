// At about 100 bytes each, some 10 MB when a flood of forged sources fills it.
const MAX_ENTRIES = 16_384;

/**
 * A map that forgets its oldest entries when it is full, so that a flood of
 * forged sources cannot make it grow. It forgets them by generations: deleting
 * the oldest entry of a `Map` one by one takes time that grows with its size.
 */
export class BoundedMap<V> {
  readonly #make: (key: string) => V;
  readonly #size: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  /**
   * @param make Makes the value of a key that is not in the map.
   * @param size How many entries the map holds at most.
   */
  constructor(make: (key: string) => V, size: number = MAX_ENTRIES) {
    this.#make = make;
    this.#size = size;
  }

  /** How many entries the map holds. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Returns the value of a key, and makes it if necessary. */
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
