import { outOfRange, wholeNumber } from "../../check.ts";
import type { Message } from "../../sink.ts";

const ACTION = "open a store";

/** Options of {@linkcode openStore}. */
export interface StoreOptions {
  /**
   * The most messages that the store holds; it deletes the oldest ones.
   * @default {Infinity}
   */
  keepRows?: number | undefined;
  /** How long the store holds a message, in milliseconds. @default {Infinity} */
  keepMs?: number | undefined;
  /**
   * Whether each batch is forced to the disk, so that it survives a power
   * failure, and not only a crash of the program.
   * @default {false}
   */
  durable?: boolean | undefined;
  /** Called with messages once they are stored, in order. @default {nothing} */
  onStored?: ((messages: readonly Message[]) => void) | undefined;
  /**
   * Called with one line when messages cannot be stored, and when they can be
   * again.
   * @default {prints it to the console}
   */
  onTrouble?: ((line: string) => void) | undefined;
}

/** How much a store holds. */
export type Limits = { keepRows: number; keepMs: number };

/** Checks the limits. @throws {RangeError} One is out of range. */
export function limitsOf(
  { keepRows = Infinity, keepMs = Infinity }: StoreOptions,
): Limits {
  wholeNumber(ACTION, "keepRows", keepRows, 1, Infinity);
  if (typeof keepMs === "number" && keepMs > 0) return { keepRows, keepMs };
  throw outOfRange(ACTION, "keepMs", "milliseconds above 0", keepMs);
}
