import { clearInterval, setInterval } from "../platform.ts";
import { printLine, reasonOf } from "../warnings.ts";
import { runOnNoHost } from "./current_host.ts";
import type { Endpoint } from "./endpoint.ts";
import { leftMessage, limitMessage, stuckMessage } from "./run_reports.ts";
import { install } from "./virtual/install.ts";
import { inWorld, type World } from "./virtual/world.ts";
import type { VirtualClock } from "./virtual_clock.ts";

// How often a run looks whether its program is stuck, at least.
const MAX_WATCH_MS = 250;

/** What a run needs from its network. */
export interface Setting {
  readonly seed: number;
  readonly clock: VirtualClock;
  readonly stuckMs: number;
  readonly limitMs: number;
  readonly left: "report" | "reject" | "ignore";
  /** What replaces the platform. */
  readonly world: World;
  /** Returns the open sockets. */
  readonly endpoints: () => readonly Endpoint[];
  /** Returns how many datagrams are in flight. */
  readonly inFlight: () => number;
}

/** Runs a program over a simulated network; see `SimulatedNetwork.run`. */
export async function runProgram<T>(
  program: () => T | Promise<T>,
  setting: Setting,
): Promise<T> {
  const { seed, world } = setting;
  const uninstall = install(world);
  const stopListening = listen(seed);
  try {
    const { result, left } = await perform(program, setting);
    if (left !== "") printLine(`${left} ${noteOf(seed)}`);
    return result;
  } catch (error) {
    reportSeed(error, seed);
    throw error;
  } finally {
    stopListening();
    uninstall();
  }
}

/**
 * Runs a program in a world that is installed.
 *
 * @param stopped Rejects if the run is to end before.
 * @returns What the program returns, and what it has left that is to be reported.
 * @throws What the program throws.
 * @throws {DoesNotEndError} It is stuck, or has reached its limit.
 * @throws {LeftError} It has left something, and must not.
 */
export async function perform<T>(
  program: () => T | Promise<T>,
  setting: Setting,
  stopped?: Promise<never>,
): Promise<{ result: T; left: string }> {
  const { world, endpoints, clock, limitMs } = setting;
  const before = new Set(endpoints());
  const ended = Promise.withResolvers<never>();
  const stopWatching = watch(setting, ended.reject);
  const endLimit = clock.limit(
    limitMs,
    () =>
      ended.reject(
        new DoesNotEndError(limitMessage(limitMs, endpoints()), false),
      ),
  );
  try {
    const result = await Promise.race([
      inWorld(() => runOnNoHost(program)),
      ended.promise,
      ...(stopped === undefined ? [] : [stopped]),
    ]);
    if (setting.left === "ignore") return { result, left: "" };
    const opened = endpoints().filter((endpoint) => !before.has(endpoint));
    const left = leftMessage(opened, world.time?.timers.calls.awaited ?? []);
    if (left !== "" && setting.left === "reject") throw new LeftError(left);
    return { result, left };
  } finally {
    endLimit();
    stopWatching();
  }
}

/** A program is stuck, or runs for longer than it may. */
export class DoesNotEndError extends Error {
  /** Whether it waits for nothing that is known to be real. */
  readonly isIdle: boolean;

  constructor(message: string, isIdle: boolean) {
    super(message);
    this.isIdle = isIdle;
  }
}

/** A program has left timers or sockets, and must not. */
export class LeftError extends Error {}

/**
 * Watches for a program that cannot go on.
 *
 * @param onStuck Gets the error that says so.
 * @returns Stops watching.
 */
function watch(
  { clock, stuckMs, world: { time }, endpoints, inFlight }: Setting,
  onStuck: (error: Error) => void,
): () => void {
  const watchMs = Math.min(stuckMs / 4, MAX_WATCH_MS);
  let progress = -1;
  let idleMs = 0;
  // Counts looks, not time: a program that computes for long is not stuck.
  const look = setInterval(() => {
    const now = time?.progress ?? clock.events;
    const goesOn = time?.goesOn ?? clock.planned > 0;
    idleMs = goesOn || now !== progress ? 0 : idleMs + watchMs;
    progress = now;
    if (idleMs < stuckMs) return;
    const jobs = time?.jobs.pending ?? [];
    const calls = [...time?.timers.calls.planned ?? []];
    const waiting = {
      endpoints: endpoints(),
      jobs,
      calls,
      inFlight: inFlight(),
    };
    onStuck(new DoesNotEndError(stuckMessage(waiting), jobs.length === 0));
  }, watchMs);
  return () => clearInterval(look);
}

/**
 * Tells the seed with errors that nobody catches: they end the process, or the
 * test, before the run can.
 *
 * @returns Stops listening.
 */
function listen(seed: number): () => void {
  const tell = (error: unknown) =>
    printLine(`${reasonOf(error)} ${noteOf(seed)}`);
  const onError = (event: Event) => tell((event as ErrorEvent).error);
  const onRejection = (event: Event) =>
    tell((event as PromiseRejectionEvent).reason);
  const { process } = globalThis as { process?: NodeJS.Process };
  if ("Deno" in globalThis) {
    addEventListener("error", onError);
    addEventListener("unhandledrejection", onRejection);
  } else process?.on?.("uncaughtExceptionMonitor", tell);
  return () => {
    if ("Deno" in globalThis) {
      removeEventListener("error", onError);
      removeEventListener("unhandledrejection", onRejection);
    } else process?.off?.("uncaughtExceptionMonitor", tell);
  };
}

function noteOf(seed: number): string {
  return `(simulated network, seed ${seed})`;
}

/** Adds the seed to an error's message, or prints it if that is impossible. */
function reportSeed(error: unknown, seed: number): void {
  const note = noteOf(seed);
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
