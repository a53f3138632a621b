import { counted, type LengthReader } from "./counted.ts";
import type { Framing } from "./framing.ts";

/**
 * Before each message its length, as two bytes in network order (RFC 4571,
 * section 2).
 */
export const length: Framing = counted(
  65_535,
  (length) => Uint8Array.of(length >> 8, length & 0xff),
  () => new TwoBytes(),
);

class TwoBytes implements LengthReader {
  #high: number | undefined;

  get partial(): boolean {
    return this.#high !== undefined;
  }

  read(byte: number): number | undefined {
    if (this.#high === undefined) {
      this.#high = byte;
      return undefined;
    }
    const length = this.#high * 256 + byte;
    this.#high = undefined;
    return length;
  }
}
