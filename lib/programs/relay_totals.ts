import type { RecordingStats } from "../capture.ts";
import { count } from "../count.ts";
import type { RelayStats } from "../testing/relay.ts";
import { type DirectionStats, noCounts } from "../testing/direction_stats.ts";
import { describeSystemDrops } from "./system_drops.ts";

/** The counts of a relay, and of the system's drops if that is known. */
export interface RelayTotals extends RelayStats {
  kernelDrops: number | undefined;
  /** Of `--record`, once it is over. */
  recording?: RecordingStats | undefined;
}

/** The totals of a relay that was not started. */
export const NO_TOTALS: RelayTotals = {
  up: noCounts(),
  down: noCounts(),
  sessions: 0,
  expired: 0,
  refused: 0,
  strangers: 0,
  kernelDrops: 0,
};

/** Returns the totals as lines for people. */
export function describeRelay(totals: RelayTotals): string[] {
  const { up, down, sessions, expired, refused, strangers, kernelDrops } =
    totals;
  const { recording } = totals;
  const clients = [count(sessions, "client")];
  if (expired > 0) clients.push(`${expired} expired`);
  if (refused > 0) clients.push(`${count(refused, "datagram")} refused`);
  if (strangers > 0) {
    clients.push(`${count(strangers, "datagram")} from strangers`);
  }
  clients.push(describeSystemDrops(
    kernelDrops,
    count(kernelDrops ?? 0, "datagram"),
  ));
  return [
    `up: ${describeDirection(up)}`,
    `down: ${describeDirection(down)}`,
    clients.join(", "),
    ...recording === undefined ? [] : [describeRecording(recording)],
  ];
}

/** Describes in a few words what a relay has done so far. */
export function describeProgress({ up, down, sessions }: RelayStats): string {
  const parts = Object.entries({ up, down }).map(([way, stats]) =>
    `${way} ${stats.forwarded} of ${stats.received}`
  );
  return `${parts.join(", ")}, ${count(sessions, "client")}`;
}

/** Returns the totals as one line of JSON; `kernelDrops` is `null` if unknown. */
export function relayTotalsJson(totals: RelayTotals, time: Date): string {
  const { kernelDrops = null } = totals;
  return JSON.stringify({ time: time.toISOString(), ...totals, kernelDrops });
}

function describeRecording(stats: RecordingStats): string {
  const { recorded, skipped, overLimit, lost } = stats;
  const parts = [`recorded ${count(recorded, "datagram")}`];
  if (skipped > 0) parts.push(`${skipped} skipped`);
  if (overLimit > 0) parts.push(`${overLimit} over the limit`);
  if (lost > 0) parts.push(`${lost} not recorded`);
  return parts.join(", ");
}

function describeDirection(stats: DirectionStats): string {
  const parts = [
    `received ${count(stats.received, "datagram")}`,
    `forwarded ${stats.forwarded}`,
  ];
  const others: [number, string][] = [
    [stats.duplicated, "duplicated"],
    [stats.corrupted, "corrupted"],
    [stats.reordered, "reordered"],
    [stats.lost, "lost"],
    [stats.overMtu, "over the MTU"],
    [stats.queueFull, "dropped because the queue was full"],
    [stats.notSent, "not sent"],
    [stats.inFlight, "in flight"],
  ];
  for (const [n, what] of others) if (n > 0) parts.push(`${n} ${what}`);
  return parts.join(", ");
}
