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
