import { formatAddress } from "../address/address.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Call } from "./virtual/calls.ts";

// How many of each a message names.
const MAX_SHOWN = 10;

/** What a program that is stuck waits for. */
export interface Waiting {
  readonly endpoints: readonly Endpoint[];
  /** The real jobs that are pending. */
  readonly jobs: readonly string[];
  /** What timers have planned. */
  readonly calls: readonly Call[];
  /** How many datagrams are in flight. */
  readonly inFlight: number;
}

/** Says that a program is stuck, and what it waits for. */
export function stuckMessage(
  { endpoints, jobs, calls, inFlight }: Waiting,
): string {
  const why = jobs.length > 0
    ? "it waits for something real that does not end (if it needs longer, raise " +
      `stuckMs): ${list(jobs)}`
    : "it waits, but nothing is pending on the simulated network or its clock " +
      "(if it waits for something real, raise stuckMs)";
  const parts = [
    `The program is stuck: ${why}`,
    `open sockets: ${list(endpoints.map(describe)) || "none"}`,
  ];
  if (calls.length > 0) parts.push(`planned timers: ${list(calls)}`);
  if (inFlight > 0) parts.push(`datagrams in flight: ${inFlight}`);
  return parts.join("; ");
}

/** Says that a program runs for longer than it may. */
export function limitMessage(
  limitMs: number,
  endpoints: readonly Endpoint[],
): string {
  const sockets = list(endpoints.map(describe)) || "none";
  return `The program has not ended after ${limitMs} ms of the network's time ` +
    `(if it needs longer, raise limitMs); open sockets: ${sockets}`;
}

/** Says what a program has left when it ended; nothing if that is nothing. */
export function leftMessage(
  endpoints: readonly Endpoint[],
  calls: readonly Call[],
): string {
  const parts = [
    calls.length > 0 && `timers: ${list(calls)}`,
    endpoints.length > 0 && `open sockets: ${list(endpoints.map(describe))}`,
  ].filter((part) => part !== false);
  return parts.length > 0 ? `The program has left ${parts.join("; ")}` : "";
}

function describe({ addr, waits, unread }: Endpoint): string {
  const state = waits ? "receiving" : unread > 0 ? `${unread} unread` : "idle";
  return `${formatAddress(addr)} (${state})`;
}

/** The first ones, and how many more there are. */
function list(items: readonly { toString(): string }[]): string {
  const shown = items.slice(0, MAX_SHOWN).map((item) => `${item}`);
  const more = items.length - shown.length;
  if (more > 0) shown.push(`${more} more`);
  return shown.join(", ");
}
