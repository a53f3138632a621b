import { isAddress } from "../address/address.ts";
import type { Carrier } from "../carrier.ts";
import { wrongType } from "../check.ts";
import type { Clock } from "../clock.ts";
import type { Attempt } from "../errors.ts";
import { isThenable } from "../promises.ts";

const REQUIRED = ["receive", "send", "close"] as const;
const OPTIONAL = [
  "joinMulticastV4",
  "joinMulticastV6",
  "joinSource",
  "maxSize",
  "receiveBatch",
  "leaveBatch",
  "sendBatch",
  "sendFrom",
  "sendRun",
  "lookUp",
  "drops",
  "kernelDrops",
  "connections",
  "end",
  "random",
  "ref",
  "unref",
] as const;
const PROMISES = ["opened", "closed"] as const;
const CLOCK = ["now", "after", "turn"] as const;

/**
 * Checks the members of a carrier, which may be the program's.
 *
 * @throws {TypeError} A member is missing, or of the wrong type.
 */
export function requireCarrier(
  attempt: string | Attempt,
  carrier: unknown,
): asserts carrier is Carrier {
  const wrong = (name: string, wanted: string, value: unknown) =>
    wrongType(attempt, `${name} of the carrier`, wanted, value);
  if (
    typeof carrier !== "object" && typeof carrier !== "function" ||
    carrier === null || isThenable(carrier)
  ) {
    throw wrongType(attempt, "the carrier", "an object", carrier);
  }
  const members = carrier as Record<string, unknown>;
  const { addr, clock, maxReceive, leavesMemory } = members;
  for (const name of REQUIRED) {
    const value = members[name];
    if (typeof value !== "function") throw wrong(name, "a function", value);
  }
  for (const name of OPTIONAL) {
    const value = members[name];
    if (value === undefined || typeof value === "function") continue;
    throw wrong(name, "a function", value);
  }
  for (const name of PROMISES) {
    const value = members[name];
    if (value === undefined || value instanceof Promise) continue;
    throw wrong(name, "a promise", value);
  }
  if (!isAddress(addr)) throw wrong("addr", "an address", addr);
  if (maxReceive !== undefined && typeof maxReceive !== "number") {
    throw wrong("maxReceive", "a number", maxReceive);
  }
  if (leavesMemory !== undefined && typeof leavesMemory !== "boolean") {
    throw wrong("leavesMemory", "true or false", leavesMemory);
  }
  if (clock === undefined) return;
  for (const name of CLOCK) {
    const value = (clock as Partial<Clock> | null)?.[name];
    if (typeof value === "function") continue;
    throw wrong(`the clock's ${name}`, "a function", value);
  }
}
