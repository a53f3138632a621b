import type { Fate } from "../fates.ts";
import type { NetworkOptions } from "../network_options.ts";
import { type Attempt, Stopped } from "./attempt.ts";
import { minimize } from "./minimize.ts";
import { simplerFates, withShortDelays } from "./simpler.ts";

// Tried in this order; a fault that is not among them is tried last.
const FAULTS = [
  ...["duplicateAgain", "duplicate", "reorder", "corrupt", "burst", "mtu"],
  ...["bandwidth", "queue", "delayMs", "loss"],
];
const OTHERS = ["seed", "stuckMs", "fates"];
// What is remembered of runs, so that no run is made twice.
const MAX_KEY = 10_000;
const MAX_TRIED = 10_000;

/** A failure, shrunk. */
export interface Shrunk {
  /** The run that fails with the least. */
  readonly least: Attempt;
  /** How many runs it took. */
  readonly runs: number;
  /** Whether nothing was left to be tried. */
  readonly isComplete: boolean;
}

/**
 * Shrinks a failure: switches faults off, one by one, then finds a shortest list
 * of fates that still fails, and then simpler fates. Each step is a run that
 * fails in the same way.
 *
 * @param first A run that has failed.
 * @param run Runs the program; rejects with {@linkcode Stopped} if there may be
 * no further run.
 * @param runs How many runs there may be.
 */
export async function shrink(
  first: Attempt,
  run: (options: NetworkOptions) => Promise<Attempt>,
  runs: number,
): Promise<Shrunk> {
  const shrinker = new Shrinker(first, run, runs);
  try {
    await shrinker.shrink();
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    shrinker.isComplete = false;
  }
  return shrinker;
}

class Shrinker implements Shrunk {
  least: Attempt;
  runs = 0;
  isComplete = true;
  readonly #run: (options: NetworkOptions) => Promise<Attempt>;
  readonly #kind: string | undefined;
  readonly #most: number;
  readonly #tried = new Map<string, boolean>();

  constructor(
    first: Attempt,
    run: (options: NetworkOptions) => Promise<Attempt>,
    most: number,
  ) {
    this.least = first;
    this.#run = run;
    this.#kind = first.failure?.kind;
    this.#most = most;
  }

  async shrink(): Promise<void> {
    await this.#switchOff();
    const { network, options } = this.least;
    if (!network.hasAllFates) {
      this.isComplete = false;
      return;
    }
    // What remains of the faults is in the fates, but for the room of receivers.
    const { seed, stuckMs, queue } = options;
    const base = { seed, stuckMs, queue };
    const fails = (fates: readonly Fate[]) => this.#fails({ ...base, fates });
    let fates: readonly Fate[] = network.fates;
    if (!await fails(fates)) return;
    for (;;) {
      fates = await minimize(fates, fails);
      const simpler = await this.#simplify(fates, fails);
      if (simpler === fates) return;
      fates = simpler;
    }
  }

  async #switchOff(): Promise<void> {
    const names = Object.keys(this.least.options)
      .filter((name) => !OTHERS.includes(name))
      .sort((a, b) => placeOf(a) - placeOf(b));
    for (const name of names) {
      const { [name as keyof NetworkOptions]: _, ...others } =
        this.least.options;
      await this.#fails(others);
    }
  }

  async #simplify(
    fates: readonly Fate[],
    fails: (fates: readonly Fate[]) => Promise<boolean>,
  ): Promise<readonly Fate[]> {
    let simplest = fates;
    for (let index = 0; index < fates.length; index++) {
      const failsWith = (fate: Fate) => fails(simplest.with(index, fate));
      for (;;) {
        const found = await firstOf(simplerFates(simplest[index]!), failsWith);
        if (found === undefined) break;
        simplest = simplest.with(index, found);
      }
      simplest = simplest.with(
        index,
        await withShortDelays(simplest[index]!, failsWith),
      );
    }
    return JSON.stringify(simplest) === JSON.stringify(fates)
      ? fates
      : simplest;
  }

  /**
   * Whether a run with these options fails in the same way.
   *
   * @throws {Stopped} There may be no further run.
   */
  async #fails(options: NetworkOptions): Promise<boolean> {
    if (this.runs >= this.#most) throw new Stopped();
    const key = JSON.stringify(options);
    const known = this.#tried.get(key);
    if (known !== undefined) return known;
    this.runs++;
    const attempt = await this.#run(options);
    const fails = attempt.failure?.kind === this.#kind;
    if (fails) this.least = { ...attempt, options };
    if (key.length <= MAX_KEY && this.#tried.size < MAX_TRIED) {
      this.#tried.set(key, fails);
    }
    return fails;
  }
}

async function firstOf<T>(
  candidates: readonly T[],
  fails: (candidate: T) => Promise<boolean>,
): Promise<T | undefined> {
  for (const candidate of candidates) {
    if (await fails(candidate)) return candidate;
  }
  return undefined;
}

function placeOf(fault: string): number {
  const place = FAULTS.indexOf(fault);
  return place < 0 ? FAULTS.length : place;
}
