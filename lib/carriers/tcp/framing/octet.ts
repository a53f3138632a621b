import { counted, type LengthReader } from "./counted.ts";
import { type Framing, LARGEST } from "./framing.ts";

const ZERO = 0x30;
const SPACE = 0x20;
const encoder = new TextEncoder();

/**
 * Before each message its length, as decimal digits and a space: the octet
 * counting of syslog (RFC 6587, section 3.4.1; RFC 5425, section 4.3). Those have
 * no empty message; here it is `0` and a space.
 */
export const octet: Framing = counted(
  LARGEST,
  (length) => encoder.encode(`${length} `),
  () => new Digits(),
);

/** Reads digits without leading zeros, up to the longest length, then a space. */
class Digits implements LengthReader {
  #length: number | undefined;

  get partial(): boolean {
    return this.#length !== undefined;
  }

  read(byte: number): number | "wrong" | undefined {
    const length = this.#length;
    if (byte === SPACE && length !== undefined) {
      this.#length = undefined;
      return length;
    }
    const digit = byte - ZERO;
    if (!(digit >= 0 && digit <= 9) || length === 0) return "wrong";
    this.#length = (length ?? 0) * 10 + digit;
    return this.#length > LARGEST ? "wrong" : undefined;
  }
}
