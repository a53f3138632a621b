/** Searches for the highest rate that a path carries (RFC 2544, section 26.1). */
import type { NetAddr } from "../addr.ts";
import { measure } from "./measure.ts";
import { QueueGrowth } from "./queue_growth.ts";
import { RateBounds } from "./rate_bounds.ts";
import {
  type RateSearchOptions,
  type RateTrial,
  readSearchOptions,
  type SearchSettings,
} from "./search_options.ts";

export type { RateSearchOptions, RateTrial } from "./search_options.ts";
import type { MeasureOptions } from "./options.ts";

/** What a search gives, as JSON can hold it. */
export interface RateSearchResult {
  /** The version of this form. */
  readonly version: 1;
  /** The address that was measured. */
  readonly to: string;
  /**
   * The highest rate that passed, in datagrams per second; 0 if none did. If
   * `confirmed`, a long trial passed too.
   */
  readonly rate: number;
  /** The same in bits per second, of the datagrams' own bytes. */
  readonly bitsPerSecond: number;
  /** The lowest rate that failed; absent if none did. */
  readonly upper?: number | undefined;
  /** Whether a long trial at that rate passed. */
  readonly confirmed: boolean;
  /**
   * What the next higher rate failed of: the `path`, or the `sender`, which was
   * too slow to tell; `highest` if nothing failed.
   */
  readonly limit: "path" | "sender" | "highest";
  /** The mean length of the datagrams, in bytes. */
  readonly size: number;
  /** All trials, in order. */
  readonly trials: readonly RateTrial[];
}

const FIRST_RATE = 100;
// A trial of fewer datagrams says nothing.
const FEWEST = 10;
// How often a trial is made that a busy machine can make fail.
const ATTEMPTS = 3;
// From so many times the resolution on a growth is no accident.
const CERTAIN = 2;
// How many rates are tried for long.
const CONFIRMATIONS = 5;

/**
 * Searches for the highest rate at which a path loses no more than `maxLoss`. Each
 * trial is a measurement of its own: datagrams leave on time for `trialMs`, and
 * are counted once all answers came or `waitMs` is over (RFC 2544, section 26.1).
 * A rate fails too if the delay grows steadily: then a queue hides what the path
 * does not carry (RFC 9097). The bounds come nearer by halves, and a long trial
 * confirms the result; if it fails, lower rates are tried.
 *
 * Cancellation: `signal` ends the search. The result is what is known so far, and
 * not `confirmed`.
 *
 * @param address The reflector, as for `measure`.
 * @param options How to search; the rest is as for `measure`.
 * @throws {RangeError} An option is out of range.
 * @throws {TypeError} An option is of the wrong type.
 * @throws What `measure` throws.
 */
export async function searchRate(
  address: string | NetAddr,
  options: RateSearchOptions = {},
): Promise<RateSearchResult> {
  return await new Search(address, options).run();
}

class Search {
  readonly #address: string | NetAddr;
  readonly #measure: MeasureOptions;
  readonly #settings: SearchSettings;
  readonly #bounds: RateBounds;
  readonly #trials: RateTrial[] = [];
  // As the last trial says.
  #to = "";
  #upperOutcome: RateTrial["outcome"] | undefined;

  constructor(
    address: string | NetAddr,
    options: RateSearchOptions,
  ) {
    this.#address = address;
    this.#settings = readSearchOptions(options);
    const { sizes, highest, trialMs, resolution } = this.#settings;
    const { burst, omitMs, waitMs, carrier, signal, onError } = options;
    this.#measure = {
      ...{ size: sizes, burst, omitMs, waitMs, carrier, signal, onError },
    };
    this.#bounds = new RateBounds({
      first: highest ?? FIRST_RATE,
      highest: highest ?? Infinity,
      lowest: FEWEST / trialMs * 1000,
      resolution,
    });
  }

  async run(): Promise<RateSearchResult> {
    const { trialMs } = this.#settings;
    let rate: number | undefined;
    while ((rate = this.#bounds.next) !== undefined && !this.#isOver) {
      await this.#try(rate, trialMs, false);
    }
    return this.#outcome(!this.#isOver && await this.#confirm());
  }

  /** Whether it was stopped, or nobody answers. */
  get #isOver(): boolean {
    return this.#measure.signal?.aborted === true ||
      this.#trials.at(-1)?.received === 0;
  }

  /** Tries the highest rate for long, and a few lower ones if that fails. */
  async #confirm(): Promise<boolean> {
    const { confirmMs, resolution } = this.#settings;
    let rate = this.#bounds.lower;
    for (let n = 0; n < CONFIRMATIONS && rate > 0; n++) {
      const passed = await this.#try(rate, confirmMs, true);
      if (passed || this.#isOver) return passed;
      rate *= 1 - Math.min(resolution * 2 ** n, 0.5);
    }
    return false;
  }

  /** Makes a trial. @returns Whether the path carries that rate. */
  async #try(
    rate: number,
    durationMs: number,
    confirms: boolean,
  ): Promise<boolean> {
    for (let attempt = 1;; attempt++) {
      const { trial, valid } = await this.#trial(rate, durationMs, confirms);
      // What was cut short says nothing.
      if (this.#measure.signal?.aborted) return false;
      this.#trials.push(trial);
      this.#settings.report(trial);
      const { outcome } = trial;
      const passed = outcome === "passed";
      // Anything else can be due to a busy machine.
      const isCertain = passed || this.#isOver ||
        valid && outcome !== "late" ||
        trial.growth > CERTAIN * this.#settings.resolution;
      if (!isCertain && attempt < ATTEMPTS) continue;
      if (!passed) this.#upperOutcome = outcome;
      this.#bounds.record(rate, passed);
      return passed;
    }
  }

  async #trial(
    rate: number,
    durationMs: number,
    confirms: boolean,
  ): Promise<{ trial: RateTrial; valid: boolean }> {
    const queue = new QueueGrowth(durationMs);
    const result = await measure(this.#address, {
      ...this.#measure,
      rate,
      durationMs,
      onPacket: (packet) => queue.add(packet),
    }).result;
    this.#to = result.to;
    const { sent, received, valid } = result;
    const loss = sent === 0 ? 0 : (sent - received) / sent;
    const growth = queue.value;
    const { maxLoss, resolution } = this.#settings;
    const isLate = sent / result.durationMs * 1000 < rate * (1 - resolution);
    const outcome = loss > maxLoss
      ? "lost"
      : growth > resolution / 2
      ? "queue"
      : isLate
      ? "late"
      : "passed";
    const counts = { sent, received, loss, growth, outcome } as const;
    return { trial: { rate, durationMs, confirms, ...counts }, valid };
  }

  #outcome(confirmed: boolean): RateSearchResult {
    const { lower: rate, upper } = this.#bounds;
    const { sizes } = this.#settings;
    const size = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    return {
      version: 1,
      to: this.#to,
      rate,
      bitsPerSecond: rate * size * 8,
      ...(upper !== undefined && { upper }),
      confirmed,
      limit: upper === undefined
        ? "highest"
        : this.#upperOutcome === "late"
        ? "sender"
        : "path",
      size,
      trials: this.#trials,
    };
  }
}
