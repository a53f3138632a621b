import { column, tenths } from "../lib/format.ts";
import type { Column, Group, Target } from "../lib/group.ts";
import type { ImplementationName } from "../lib/implementations.ts";
import { roundTrip } from "../lib/measure.ts";

const SIZES = [100, 1200];
const TARGET_SIZE = 100;

/** The implementations that answer, each with its label. */
export const ENDS: readonly [ImplementationName, label: string][] = [
  ["raw", "Deno.DatagramConn"],
  ["pli", "Pli"],
  ["offload", "Pli over offload"],
  ["node", "node:dgram on Node"],
  ["node-on-deno", "node:dgram on Deno"],
  ["bun", "Bun"],
  ["c", "C"],
];

/** The columns of round trips. */
export const TRIPS: Column[] = [
  column("p50 µs", "p50", tenths),
  column("p99 µs", "p99", tenths),
  column("p99.9 µs", "p999", tenths),
];

/** A datagram is sent, echoed and received; then the next. */
export const roundTrips: Group = {
  name: "round-trip",
  title: "Round trips, one datagram at a time",
  tables: [{ rows: "both ends", metric: "p50", columns: TRIPS }],
  targets: [
    target("offload / Bun, round trip p50", "offload", "bun", 0.3),
    target("offload / Bun, round trip p99", "offload", "bun", 1, "p99"),
    target("default / raw Deno, round trip p50", "pli", "raw", 1.1),
    target("default / Node, round trip p50", "pli", "node", 1),
  ],
  cases: SIZES.flatMap((size) =>
    ENDS.map(([implementation, label]) => ({
      ...{ size, label, implementation, needs: [implementation] },
      id: idOf(implementation, size),
      measure: (start, seconds) =>
        roundTrip(start, implementation, size, seconds),
    }))
  ),
};

function idOf(implementation: ImplementationName, size: number): string {
  return `${implementation} round trip, ${size}`;
}

function target(
  what: string,
  subject: ImplementationName,
  base: ImplementationName,
  atMost: number,
  metric = "p50",
): Target {
  return {
    ...{ what, metric, atMost },
    subject: idOf(subject, TARGET_SIZE),
    base: idOf(base, TARGET_SIZE),
  };
}
