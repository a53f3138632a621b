import { deepEqual, ok } from "node:assert/strict";
import type { Abilities } from "./ends.ts";

/** Changes bytes to some that the carrier can carry. */
export function carriable(
  bytes: Uint8Array,
  { reserved }: Pick<Abilities, "reserved">,
): Uint8Array {
  return bytes.map((byte) => byte === reserved ? byte ^ 1 : byte);
}

/** Returns the numbers from 0 as texts of different lengths, all different. */
export function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${n}`.padStart(3 + n % 7));
}

/** Compares bytes without a diff, which takes minutes for long ones. */
export function sameBytes(actual: Uint8Array, expected: Uint8Array): void {
  const differs = expected.findIndex((byte, i) => byte !== actual[i]);
  ok(
    actual.length === expected.length && differs < 0,
    `${actual.length} bytes, not ${expected.length}; the first that differs: ${differs}`,
  );
}

/** What was received is what was sent, as far as the carrier declares. */
export function sameMessages(
  received: readonly string[],
  sent: readonly string[],
  { ordered, lossless }: Pick<Abilities, "ordered" | "lossless">,
): void {
  const arrived = sent.filter((text) => received.includes(text));
  if (lossless) deepEqual(arrived, sent);
  deepEqual(
    ordered ? received : received.toSorted(),
    ordered ? arrived : arrived.toSorted(),
  );
}
