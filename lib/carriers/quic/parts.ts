import type { Backlogs } from "../backlog.ts";
import type { Arrivals } from "./arrivals.ts";
import type { Control } from "./control.ts";
import type { Counts, Drops } from "./counts.ts";
import type { Hello } from "./hello.ts";

/** What a peer is made of. */
export interface Parts {
  conn: Deno.QuicConn;
  control: Control;
  own: Hello;
  theirs: Hello;
  idleMs: number;
  /** How long the end waits for a peer that takes nothing. */
  endMs: number;
  /**
   * Whether a send waits until the system has taken its message: on a connected
   * socket. On a bound one it would hold up the sends to others.
   */
  waits: boolean;
  backlogs: Backlogs;
  arrivals: Arrivals;
  drops: Drops;
  counts: Counts;
  /** Called when the peer is closed because it does not take its messages. */
  onUnread?: () => void;
}
