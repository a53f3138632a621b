import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Choices that a seed decides. */
export class Chance {
  readonly #generator;

  constructor(seed: number) {
    // Seeds that are close to each other begin with similar choices.
    this.#generator = xoroshiro128plus(Math.imul(seed, 0x9e37_79b1));
    for (let n = 0; n < 8; n++) this.below(2);
  }

  /** A whole number from 0 to `n - 1`. */
  below(n: number): number {
    return uniformInt(this.#generator, 0, n - 1);
  }

  /** One of these. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}
