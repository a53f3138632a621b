import { count } from "../../count.ts";
import { escapeControls } from "../../escape.ts";
import { reasonOf } from "../../warnings.ts";
import type { NetworkOptions, RunOptions } from "../network_options.ts";
import type { Attempt } from "./attempt.ts";
import { replay } from "./replay.ts";
import type { Shrunk } from "./shrink.ts";

const MAX_REASON = 200;

/** What a search has found. */
export interface Found {
  readonly first: Attempt;
  /** How many seeds were tried. */
  readonly tried: number;
  /** The options that were given for each run. */
  readonly run: RunOptions;
}

/** What is known of a failure. */
interface Explained {
  readonly network: NetworkOptions;
  readonly diagram: string;
  readonly isDeterministic: boolean;
}

/** What `searchSeeds` rejects with: a program fails with a seed. */
export class FailingSeedError extends Error {
  /** The class's name, for `error.name` comparisons. */
  override readonly name = "FailingSeedError";
  // Not printed besides the message, which has the same.
  readonly #explained: Explained;

  /**
   * Programs catch it; `searchSeeds` makes it.
   *
   * @param cause What the program has thrown.
   */
  constructor(message: string, cause: unknown, explained: Explained) {
    super(message, { cause });
    this.#explained = explained;
  }

  /** The seed. */
  get seed(): number {
    return this.network.seed ?? 1;
  }

  /**
   * The options of `simulateNetwork` with which the program fails in the same
   * way: as few faults or `fates` as were found.
   */
  get network(): NetworkOptions {
    return this.#explained.network;
  }

  /** What happens on that network, as `network.diagram()` draws it. */
  get diagram(): string {
    return this.#explained.diagram;
  }

  /**
   * Whether the program has failed in the same way when it was run again. If
   * not, nothing was shrunk.
   */
  get isDeterministic(): boolean {
    return this.#explained.isDeterministic;
  }
}

/** Makes the error for a failure that comes again. */
export function failingSeed(found: Found, shrunk: Shrunk): FailingSeedError {
  const { first: { network: { seed } }, tried } = found;
  const { least: { failure, network, options }, runs, isComplete } = shrunk;
  const reason = oneLine(failure?.error);
  const diagram = network.diagram({}, `it fails: ${reason}`);
  const passed = tried > 1
    ? `after ${count(tried - 1, "seed")} that passed, `
    : "";
  const end = isComplete ? "" : ", not to the end";
  return new FailingSeedError(
    [
      `The program fails with seed ${seed} (${passed}shrunk in ` +
      `${count(runs, "run")}${end}): ${reason}`,
      `What happens:\n${diagram.trimEnd()}`,
      `To run it again:\n${replay(options, found.run)}`,
    ].join("\n\n"),
    found.first.failure?.error,
    { network: options, diagram, isDeterministic: true },
  );
}

/**
 * Makes the error for a failure that does not come again.
 *
 * @param again The run with the same seed that was to fail in the same way.
 */
export function unsteadySeed(
  { first }: Found,
  again: Attempt,
): FailingSeedError {
  const { failure, network, options } = first;
  const { seed } = network;
  const reason = oneLine(failure?.error);
  const other = again.failure === undefined
    ? "it did not when it was run again"
    : `when it was run again it failed otherwise: ${
      oneLine(again.failure.error)
    }`;
  return new FailingSeedError(
    `The program is not deterministic: with seed ${seed} it has failed ` +
      `(${reason}), and ${other}; does it keep something from one run to the ` +
      "next, or wait for something real?",
    failure?.error,
    {
      network: options,
      diagram: network.diagram({}, `it fails: ${reason}`),
      isDeterministic: false,
    },
  );
}

/** The first line of an error's message. */
function oneLine(error: unknown): string {
  const line = reasonOf(error).trim().split("\n", 1)[0] ?? "";
  return escapeControls(
    line.length > MAX_REASON ? `${line.slice(0, MAX_REASON)}…` : line,
  );
}
