import type { Fate } from "./fates.ts";
import type { Faults } from "./faults.ts";

/** How `simulateNetwork` makes its network. */
export interface NetworkOptions extends Faults {
  /** Seed of the random generators; the same seed gives the same run. @default {1} */
  seed?: number | undefined;
  /**
   * How long `run` waits, in milliseconds of real time, while nothing happens and
   * nothing is planned, before it takes the program for stuck. A program that
   * waits longer than that for something real (a file, a process, a real socket)
   * needs more; `Infinity` waits for ever.
   * @default {5000}
   */
  stuckMs?: number | undefined;
  /**
   * What happens to single datagrams, instead of all faults, as the `fates` of
   * another network or `searchSeeds` tell it. All others arrive at once. Rules
   * are asked before.
   * @default {the faults decide}
   */
  fates?: readonly Fate[] | undefined;
}

/** How `run` runs a program. */
export interface RunOptions {
  /**
   * Whose time the program has. `"virtual"` replaces the platform's timers and
   * dates by those of the network, until the program has ended; `"real"` leaves
   * them as they are.
   * @default {"virtual"}
   */
  timers?: "virtual" | "real" | undefined;
  /**
   * Where the program's random numbers come from. `"seed"` replaces those of the
   * platform by ones that follow from the network's seed, until the program has
   * ended; `"real"` leaves them as they are.
   * @default {"seed"}
   */
  random?: "seed" | "real" | undefined;
  /**
   * The date at the network's time 0, a `Date` or milliseconds since 1970, for
   * `timers: "virtual"`.
   * @default {2026-01-01T00:00:00Z}
   */
  now?: Date | number | undefined;
  /**
   * Whether the sockets of `node:dgram` are on the network: `createSocket` and
   * `Socket` of the module are replaced until the program has ended, and so are
   * the look-ups of its hosts (`dns.lookup`) and `os.networkInterfaces`. Which
   * imports that reaches: docs/compatibility.md has a table.
   * @default {false}
   */
  dgram?: boolean | undefined;
  /**
   * How long the program may run, in milliseconds of the network's time. If it
   * has not ended then, the run rejects.
   * @default {Infinity}
   */
  limitMs?: number | undefined;
  /**
   * What becomes of timers and sockets that the program has left when it ended:
   * `"report"` prints them to standard error, `"reject"` rejects with them, and
   * `"ignore"` does nothing.
   * @default {"report"}
   */
  left?: "report" | "reject" | "ignore" | undefined;
}

/** How a diagram is drawn. */
export interface DiagramOptions {
  /** How many columns of text it may have, from 40. @default {80} */
  width?: number | undefined;
  /**
   * How many rows it may have, from 2; of more, the first and the last ones are
   * drawn.
   * @default {60}
   */
  rows?: number | undefined;
}
