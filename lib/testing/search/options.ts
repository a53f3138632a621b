import {
  milliseconds,
  requireOptions,
  requireSignal,
  wholeNumber,
} from "../../check.ts";
import type { NetworkOptions, RunOptions } from "../network_options.ts";
import { RUN_OPTIONS } from "../run_options.ts";

/**
 * How `searchSeeds` searches: the options of `simulateNetwork` and of
 * `network.run`, for each run, and how many runs there are.
 */
export interface SearchOptions extends NetworkOptions, RunOptions {
  /** The first seed. @default {1} */
  seed?: number | undefined;
  /** How many seeds are tried, one after another. @default {100} */
  seeds?: number | undefined;
  /**
   * How long the search may take, in milliseconds of real time. Then no further
   * seed is tried.
   * @default {no limit}
   */
  timeoutMs?: number | undefined;
  /** How many runs may be used to shrink a failure. @default {1000} */
  shrinkRuns?: number | undefined;
  /**
   * How long a failure may be shrunk, in milliseconds of real time.
   * @default {10000}
   */
  shrinkMs?: number | undefined;
  /** How long a program may run, in milliseconds of its network. @default {a day} */
  limitMs?: number | undefined;
  /**
   * As for `network.run`, except that `"report"` prints only what the run with
   * the first seed has left.
   * @default {"report"}
   */
  left?: "report" | "reject" | "ignore" | undefined;
  /** Ends the search, or the shrinking. */
  signal?: AbortSignal | undefined;
}

/** The options of a search, checked, and those of each run. */
export interface CheckedSearch {
  readonly first: number;
  readonly seeds: number;
  readonly timeoutMs: number;
  readonly shrinkRuns: number;
  readonly shrinkMs: number;
  readonly signal: AbortSignal | undefined;
  readonly network: NetworkOptions;
  readonly run: RunOptions;
}

const ACTION = "search seeds";
/** How long a program may run by default, in milliseconds of its network. */
export const LIMIT_MS = 86_400_000;

/**
 * Checks the options of `searchSeeds`, except those of networks and runs.
 *
 * @throws {RangeError} One is out of range.
 * @throws {TypeError} They are no object, or `signal` is no signal.
 */
export function checkSearch(options: SearchOptions): CheckedSearch {
  requireOptions(ACTION, options);
  const {
    seed = 1,
    seeds = 100,
    timeoutMs,
    shrinkRuns = 1000,
    shrinkMs = 10_000,
    signal,
    ...others
  } = options;
  requireSignal(ACTION, signal);
  wholeNumber(ACTION, "seed", seed, Number.MIN_SAFE_INTEGER);
  const last = Number.MAX_SAFE_INTEGER - Math.max(seed, 0);
  const entries = Object.entries(others);
  const isOfRun = ([name]: [string, unknown]) => RUN_OPTIONS.includes(name);
  return {
    first: seed,
    seeds: wholeNumber(ACTION, "seeds", seeds, 1, last),
    timeoutMs: milliseconds(ACTION, "timeoutMs", timeoutMs) ?? Infinity,
    shrinkRuns: wholeNumber(ACTION, "shrinkRuns", shrinkRuns, 0, Infinity),
    shrinkMs: milliseconds(ACTION, "shrinkMs", shrinkMs) ?? Infinity,
    signal,
    network: Object.fromEntries(entries.filter((entry) => !isOfRun(entry))),
    run: Object.fromEntries(entries.filter(isOfRun)),
  };
}
