import type { RelayStats } from "../testing/relay.ts";
import type { DirectionStats } from "../testing/session.ts";
import { count } from "../count.ts";

/** What a relay counted, and what the system dropped before it, if known. */
export interface RelayTotals extends RelayStats {
  kernelDrops: number | undefined;
}

/** The totals as lines for people. */
export function describeRelay(totals: RelayTotals): string[] {
  const { up, down, sessions, expired, refused, kernelDrops } = totals;
  const clients = [count(sessions, "client")];
  if (expired > 0) clients.push(`${expired} expired`);
  if (refused > 0) clients.push(`${count(refused, "datagram")} refused`);
  const { strangers } = totals;
  if (strangers > 0) {
    clients.push(`${count(strangers, "datagram")} of strangers`);
  }
  if (kernelDrops !== undefined) {
    clients.push(`${count(kernelDrops, "datagram")} dropped by the system`);
  }
  return [
    `up: ${describeDirection(up)}`,
    `down: ${describeDirection(down)}`,
    clients.join(", "),
  ];
}

/** The totals as one line of JSON. */
export function relayTotalsJson(totals: RelayTotals, time: Date): string {
  return JSON.stringify({ time: time.toISOString(), ...totals });
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
    [stats.queueFull, "dropped for want of room"],
    [stats.notSent, "not sent"],
    [stats.inFlight, "on the way"],
  ];
  for (const [n, what] of others) if (n > 0) parts.push(`${n} ${what}`);
  return parts.join(", ");
}
