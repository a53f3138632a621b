import type { CarrierSettings } from "./carriers.ts";
import type { Needs } from "./needs.ts";

const CAT = "cat";

/**
 * To count the datagrams that the system dropped: only Linux has that count, and
 * Deno reads it through `cat`. A program can do without it.
 */
export function toCountSystemDrops(
  { scheme, fast }: Pick<CarrierSettings, "scheme" | "fast">,
): Needs {
  // The offload carrier asks the system itself; connections have no such count.
  const takesCat = scheme === "udp" && !fast && Deno.build.os === "linux";
  return takesCat ? { run: [CAT] } : {};
}

/**
 * Describes how many datagrams the system dropped before the program could read
 * them, or why that is unknown.
 *
 * @param counted The number, in the words of the line that it is part of.
 */
export function describeSystemDrops(
  drops: number | null | undefined,
  counted = `${drops}`,
): string {
  if (typeof drops === "number") return `${counted} dropped by the system`;
  return `dropped by the system: unknown (${reason()})`;
}

function reason(): string {
  if (Deno.build.os !== "linux") return "only Linux counts them";
  const { state } = Deno.permissions.querySync({ name: "run", command: CAT });
  return state === "granted"
    ? "the system's count could not be read"
    : `needs --allow-run=${CAT}`;
}

/** Whether the system counts what it drops; connections wait instead. */
export function areSystemDropsCounted(
  { scheme }: Pick<CarrierSettings, "scheme">,
): boolean {
  return scheme === "udp";
}
