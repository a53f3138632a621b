import type { Event } from "../ledger.ts";

const MIN_GAP = 8;
const MAX_GAP = 30;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** The columns of a diagram: where each socket has its line. */
export interface Columns {
  /** The names above the lines. */
  readonly names: readonly string[];
  /** What the names stand for, below; empty if they are the addresses. */
  readonly legend: readonly string[];
  /** How far two lines are apart; 0 if there is no room for them. */
  readonly gap: number;
  /** Returns the column of an address. */
  at(address: string): number;
}

/**
 * Gives each socket a column, or each host if there are too many sockets.
 *
 * @param width How many columns of text there are for all of them.
 */
export function columnsOf(
  events: readonly Event[],
  width: number,
): Columns {
  const most = Math.floor(width / MIN_GAP);
  const ways = events.map(({ entry: { from, to } }) => [from, to] as const);
  const addresses = [...new Set(ways.flat())];
  const hasWithin = ways.some(([from, to]) => hostOf(from) === hostOf(to));
  const byHost = addresses.length > most && !hasWithin &&
    new Set(addresses.map(hostOf)).size <= most;
  const keyOf = byHost ? hostOf : bare;
  const keys = [...new Set(addresses.map(keyOf))];
  const gap = keys.length > most || keys.length < 2
    ? 0
    : Math.min(MAX_GAP, Math.floor(width / (keys.length - 1)));
  const isShort = keys.every((key) => key.length < gap);
  const named = isShort || gap === 0;
  return {
    names: named ? keys : keys.map((_, index) => LETTERS[index] ?? "?"),
    legend: named
      ? []
      : keys.map((key, index) => `${LETTERS[index] ?? "?"} is ${key}`),
    gap,
    at: (address) => keys.indexOf(keyOf(address)),
  };
}

/** The address without its scheme. */
function bare(address: string): string {
  return address.replace("udp://", "");
}

function hostOf(address: string): string {
  return bare(address).replace(/:\d+$/, "");
}
