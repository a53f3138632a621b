/** One way to separate messages in a stream of bytes. */
export interface Framing {
  /** The longest message that it can carry, in bytes. */
  readonly largest: number;
  /**
   * Returns the bytes that carry a message.
   *
   * @throws {TypeError} It cannot carry that message.
   */
  encode(message: Uint8Array): Uint8Array;
  /** Returns a decoder for the bytes of one peer. */
  decoder(): Decoder;
}

/** Finds the messages in the bytes of a peer. */
export interface Decoder {
  /** Whether a part of a message was added. */
  readonly partial: boolean;
  /** Whether that message was delivered truncated, and its rest is skipped. */
  readonly skips: boolean;
  /**
   * Whether the bytes are wrong, so that no further message can be found in them.
   * What was before is delivered; the rest counts as a part of a message.
   */
  readonly malformed: boolean;
  /** Adds bytes, after `next` has used the last ones up. */
  add(bytes: Uint8Array): void;
  /**
   * Writes the next message into a buffer, cut to its length.
   *
   * @returns The number of bytes written, or `undefined` if more bytes are needed.
   */
  next(into: Uint8Array): number | undefined;
  /** Like `next`, for a message that only the end of the stream completes. */
  end(into: Uint8Array): number | undefined;
  /** Drops the messages that are whole. @returns How many. */
  skip(): number;
}

/** The longest message of a framing without a limit of its own, in bytes. */
export const LARGEST: number = 64 * 1024 * 1024;
