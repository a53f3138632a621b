import type { SentBatch } from "../carrier.ts";
import { shown } from "../check.ts";
import { count } from "../count.ts";

/** What became of the first messages of a batch. */
export interface Part {
  /** How many were sent. */
  readonly sent: number;
  /** How many were sent or failed. */
  readonly settled: number;
  /** Why the others of these failed. */
  readonly error?: Error;
}

/**
 * Checks what a carrier's `sendBatch` returned before it is counted.
 *
 * @param length How many messages it was given.
 * @param failure Makes the error of the message with that index.
 */
export function partOf(
  length: number,
  result: SentBatch,
  failure: (index: number, cause: unknown) => Error,
): Part {
  const { sent, error } = (result ?? {}) as Partial<SentBatch>;
  if (!Number.isInteger(sent) || sent! < 0 || sent! > length) {
    // Nobody knows which were sent. Sending them again could double them.
    const why = `its carrier sent ${shown(sent)} of ${
      count(length, "message")
    }`;
    return {
      sent: 0,
      settled: length,
      error: failure(0, new TypeError(why)),
    };
  }
  if (sent === length || error === undefined && sent! > 0) {
    return { sent: sent!, settled: sent! };
  }
  const cause = error ??
    new Error("its carrier sent nothing, and gave no reason");
  return { sent: sent!, settled: sent! + 1, error: failure(sent!, cause) };
}
