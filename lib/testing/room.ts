/** What one held datagram takes beyond its bytes, as measured. */
export const OVERHEAD_BYTES = 600;

/** A number of bytes that may be held, shared by everything that holds some. */
export class Room {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Reserves bytes, if there is room for them. @returns Whether there was. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  /** Frees bytes that were reserved. */
  free(bytes: number): void {
    this.#left += bytes;
  }
}
