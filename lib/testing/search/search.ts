import { requireFunction } from "../../check.ts";
import { clearTimeout, setTimeout } from "../../platform.ts";
import type { NetworkOptions, RunOptions } from "../network_options.ts";
import { type Attempt, attempt, type Program, Stopped } from "./attempt.ts";
import {
  type CheckedSearch,
  checkSearch,
  LIMIT_MS,
  type SearchOptions,
} from "./options.ts";
import {
  failingSeed,
  type FailingSeedError,
  type Found,
  unsteadySeed,
} from "./report.ts";
import { DoesNotEndError } from "../run.ts";
import { isA } from "./failure.ts";
import { shrink, type Shrunk } from "./shrink.ts";

// A program that waits for nothing real is stuck for good; the last run waits for
// as long as the caller has asked for.
const STUCK_MS = 40;

/**
 * Runs a program with one seed after another, each on a new simulated network,
 * until it fails: it throws or rejects, throws in a timer or rejects where nobody
 * catches it, is stuck, has not ended after `limitMs`, or, with
 * `left: "reject"`, leaves timers or sockets. The failure is then shrunk: faults
 * are switched off, one by one, and of what happened to single datagrams only
 * that is kept without which the program does not fail in the same way.
 *
 * @param program Gets the network. It is run as `network.run` runs it, and must
 * do the same each time: whatever it keeps from one run to the next changes what
 * a seed decides.
 * @param options The faults, how many seeds, and all that `simulateNetwork` and
 * `network.run` take.
 * @returns How many seeds were tried.
 * @throws {FailingSeedError} It fails. The message has the seed, a sequence
 * diagram of what happens, and the code that runs it again; `cause` is what the
 * program has thrown. If `signal` aborts while the failure is shrunk, it has what
 * was found by then.
 * @throws `signal.reason` if it aborts before a failure is found.
 * @throws {RangeError} An option is out of range.
 * @throws {TypeError} The program is no function, or there is no such option.
 * @throws {Error} Another run is in progress in this thread.
 *
 * @example
 * ```ts
 * import { connect, serve } from "@pli/datagram";
 * import { searchSeeds } from "@pli/datagram/testing";
 *
 * await searchSeeds(async (network) => {
 *   const carrier = network.host("10.0.0.2");
 *   await using server = serve("udp://10.0.0.1:53", ({ data }) => data, {
 *     carrier: network,
 *   });
 *   await using client = await connect(server.addr, { carrier });
 *   await client.request("ping", { timeoutMs: 100, retries: 20 });
 * }, { seeds: 100, loss: 0.2, duplicate: 0.1, delayMs: { min: 5, max: 50 } });
 * ```
 */
export async function searchSeeds(
  program: Program,
  options: SearchOptions = {},
): Promise<number> {
  requireFunction("search seeds", "program", program);
  const search = checkSearch(options);
  const { first, seeds, timeoutMs, signal, network } = search;
  const stop = new AbortController();
  const onAbort = () => stop.abort();
  signal?.throwIfAborted();
  signal?.addEventListener("abort", onAbort);
  const timer = timeoutMs < Infinity
    ? setTimeout(onAbort, timeoutMs)
    : undefined;
  let tried = 0;
  try {
    for (; tried < seeds; tried++) {
      const { run } = search;
      const found = await attempt(
        program,
        { ...network, seed: first + tried },
        inSearch(run, tried === 0),
        stop.signal,
      );
      if (found.failure === undefined) continue;
      clearTimeout(timer);
      throw await explain(
        program,
        { first: found, tried: tried + 1, run },
        search,
        stop.signal,
      );
    }
  } catch (error) {
    if (!isA(Stopped, error)) throw error;
    signal?.throwIfAborted();
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
  return tried;
}

/** Runs a program that has failed again, and shrinks the failure. */
async function explain(
  program: Program,
  found: Found,
  { network, shrinkRuns, shrinkMs }: CheckedSearch,
  stop: AbortSignal,
): Promise<FailingSeedError> {
  const { first, run } = found;
  const { error } = first.failure!;
  const isIdle = isA(DoesNotEndError, error) && error.isIdle;
  const { stuckMs = Infinity } = network;
  const patience = isIdle ? { stuckMs: Math.min(stuckMs, STUCK_MS) } : {};
  const quiet = inSearch(run, false);
  const time = new AbortController();
  const timer = shrinkMs < Infinity
    ? setTimeout(() => time.abort(), shrinkMs)
    : undefined;
  const soon = AbortSignal.any([stop, time.signal]);
  const runSoon = (options: NetworkOptions) =>
    attempt(program, { ...options, ...patience }, quiet, soon);
  let shrunk: Shrunk = { least: first, runs: 0, isComplete: false };
  try {
    const again = await runSoon(first.options);
    if (!isSame(again, first)) return unsteadySeed(found, again);
    shrunk = await shrink(
      { ...again, options: first.options },
      runSoon,
      shrinkRuns,
    );
    const last = await attempt(program, shrunk.least.options, quiet, soon);
    if (!isSame(last, first)) return unsteadySeed(found, last);
  } catch (error) {
    if (!isA(Stopped, error)) throw error;
  } finally {
    clearTimeout(timer);
  }
  return failingSeed(found, shrunk);
}

function isSame(one: Attempt, other: Attempt): boolean {
  return one.failure?.kind === other.failure?.kind;
}

/**
 * Returns the options for one run of a search.
 *
 * @param reports Whether what the program leaves may be reported.
 */
function inSearch(run: RunOptions, reports: boolean): RunOptions {
  const { limitMs = LIMIT_MS, left = "report" } = run;
  const quiet = left === "report" && !reports ? "ignore" : left;
  return { ...run, limitMs, left: quiet };
}
