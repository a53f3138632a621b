import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Random numbers that follow from a seed. */
export class Chance {
  readonly #generator: ReturnType<typeof xoroshiro128plus>;
  #draws = 0;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** How often something was drawn. */
  get draws(): number {
    return this.#draws;
  }

  /** Returns a number from 0 to 1, without 1. */
  readonly random = (): number => {
    this.#draws++;
    return uniformFloat64(this.#generator);
  };

  /**
   * Fills memory with random bytes.
   *
   * @param from The first element to fill. @default {0}
   * @param length How many elements to fill. @default {all that follow}
   */
  fill(
    memory: ArrayBufferView | ArrayBufferLike,
    from: number = 0,
    length?: number,
  ): void {
    this.#draws++;
    const all = ArrayBuffer.isView(memory)
      ? new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength)
      : new Uint8Array(memory);
    const { BYTES_PER_ELEMENT: size = 1 } = memory as Partial<Uint8Array>;
    const to = length === undefined ? all.length : (from + length) * size;
    const bytes = all.subarray(from * size, to);
    for (let i = 0; i < bytes.length; i += 4) {
      const word = this.#generator.next();
      const end = Math.min(i + 4, bytes.length);
      for (let at = i; at < end; at++) bytes[at] = word >>> 8 * (at - i);
    }
  }

  /** Returns a random UUID, version 4 (RFC 9562, section 5.4). */
  uuid(): string {
    const bytes = new Uint8Array(16);
    this.fill(bytes);
    bytes[6] = bytes[6]! & 0x0f | 0x40;
    bytes[8] = bytes[8]! & 0x3f | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
      .join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }
}
