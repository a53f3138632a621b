import type { Fault } from "./failures.ts";

/** What was lost with the connections of a carrier. */
export interface Losses {
  /** Messages of which only a part arrived. */
  incomplete: number;
  /** Messages that had arrived when the connection was closed by this end. */
  closed: number;
  /** Messages that waited in a backlog, and were not written whole. */
  unsent: number;
}

/** Returns losses that are all 0. */
export function noLosses(): Losses {
  return { incomplete: 0, closed: 0, unsent: 0 };
}

/** Why a connection was closed, or why none was accepted. */
export type Closing =
  | Fault
  | "tooManyPeers"
  | "reset"
  | "broken"
  | "acceptFailed";

/** Returns counts of closed connections that are all 0. */
export function noClosings(): Record<Closing, number> {
  return {
    tooManyPeers: 0,
    idle: 0,
    slow: 0,
    unread: 0,
    malformed: 0,
    handshake: 0,
    reset: 0,
    broken: 0,
    acceptFailed: 0,
  };
}
