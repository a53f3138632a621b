import { formatAddress } from "../address/address.ts";
import { printLine, reasonOf } from "../warnings.ts";
import type { Endpoint } from "./endpoint.ts";
import type { VirtualClock } from "./virtual_clock.ts";

// How often a run looks whether its program is stuck, at least.
const MAX_WATCH_MS = 250;
// How many sockets the message about a stuck program names.
const MAX_SHOWN = 10;

/** What a run needs from its network. */
export interface RunOptions {
  readonly seed: number;
  readonly clock: VirtualClock;
  readonly stuckMs: number;
  /** Returns the open sockets. */
  readonly endpoints: () => readonly Endpoint[];
}

/** Runs a program over a simulated network; see `SimulatedNetwork.run`. */
export async function runProgram<T>(
  program: () => Promise<T>,
  { seed, clock, stuckMs, endpoints }: RunOptions,
): Promise<T> {
  const stuck = Promise.withResolvers<never>();
  let events = -1;
  let idleSince = 0;
  const watch = setInterval(() => {
    const now = performance.now();
    if (clock.planned > 0 || clock.events !== events) {
      events = clock.events;
      idleSince = now;
    } else if (now - idleSince >= stuckMs) {
      stuck.reject(new Error(stuckMessage(endpoints())));
    }
  }, Math.min(stuckMs / 4, MAX_WATCH_MS));
  try {
    return await Promise.race([program(), stuck.promise]);
  } catch (error) {
    reportSeed(error, seed);
    throw error;
  } finally {
    clearInterval(watch);
  }
}

/** Says that a program is stuck, and which sockets it has open. */
function stuckMessage(endpoints: readonly Endpoint[]): string {
  const shown = endpoints.slice(0, MAX_SHOWN).map(({ addr, waits, unread }) => {
    const state = waits
      ? "receiving"
      : unread > 0
      ? `${unread} unread`
      : "idle";
    return `${formatAddress(addr)} (${state})`;
  });
  const more = endpoints.length - shown.length;
  if (more > 0) shown.push(`${more} more`);
  const open = shown.length > 0 ? shown.join(", ") : "none";
  return "The program is stuck: it waits, but nothing is pending on the " +
    "simulated network or its clock (if it waits for something real, raise " +
    `stuckMs); open sockets: ${open}`;
}

/** Adds the seed to an error's message, or prints it if that is impossible. */
function reportSeed(error: unknown, seed: number): void {
  const note = `(simulated network, seed ${seed})`;
  try {
    if (error instanceof Error) {
      if (!error.message.includes(note)) error.message += ` ${note}`;
      if (error.message.includes(note)) return;
    }
  } catch {
    // Frozen, or a getter as that of a DOMException.
  }
  printLine(`${reasonOf(error)} ${note}`);
}
