import { cannot, fieldsOf, withFields } from "../../errors.ts";
import type { Chance } from "./chance.ts";

// More than any pool of random bytes has.
const MAX_CALLS = 100_000;

/**
 * Calls a function until it draws from a run's chance, so that a pool which was
 * filled before is used up.
 *
 * @param chance Nothing is done without one.
 * @throws {Error} It draws nothing.
 */
export function refillFrom(
  chance: Chance | undefined,
  draw: () => unknown,
): void {
  if (chance === undefined) return;
  const before = chance.draws;
  for (let n = 0; n < MAX_CALLS; n++) {
    draw();
    if (chance.draws > before) return;
  }
  const why = `${MAX_CALLS} calls have drawn nothing from the run's chance`;
  throw withFields(new Error(cannot("refill", why)), fieldsOf("refill"));
}
