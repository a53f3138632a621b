import {
  milliseconds,
  outOfRange,
  requireFunction,
  requireOptions,
} from "../check.ts";
import { isThenable } from "../promises.ts";
import { reporter } from "../warnings.ts";
import { type MeasureOptions, readMeasureOptions } from "./options.ts";

/** How a rate is searched for. */
export interface RateSearchOptions extends
  Omit<
    MeasureOptions,
    "durationMs" | "count" | "onPacket" | "oneWay" | "ssid" | "intervalMs"
  > {
  /**
   * The highest rate to try, in datagrams per second. It is tried first, so that a
   * path that carries it needs no search.
   * @default {none: begins at 100 per second, and doubles}
   */
  rate?: number | undefined;
  /**
   * The highest rate as bits per second instead, of the datagrams' own bytes.
   * @default {none}
   */
  bitsPerSecond?: number | undefined;
  /**
   * The part of the datagrams that may be lost, from 0 to 1.
   * @default {0.001}
   */
  maxLoss?: number | undefined;
  /** How long datagrams leave in a trial, in milliseconds. @default {2000} */
  trialMs?: number | undefined;
  /**
   * How long datagrams leave in the trial that confirms the result.
   * @default {five times `trialMs`}
   */
  confirmMs?: number | undefined;
  /**
   * How near the bounds have to come, as a part of the rate.
   * @default {0.01}
   */
  resolution?: number | undefined;
  /** Called with each trial when it is over. @default {nothing} */
  onTrial?: ((trial: RateTrial) => void) | undefined;
}

/** One measurement of a search. */
export interface RateTrial {
  /** The rate that was tried, in datagrams per second. */
  readonly rate: number;
  /** How long datagrams left, in milliseconds. */
  readonly durationMs: number;
  /** Whether it confirms the result. */
  readonly confirms: boolean;
  /** How many questions left, or should have left. */
  readonly sent: number;
  /** How many of them were answered in time. */
  readonly received: number;
  /** The part that was lost, from 0 to 1. */
  readonly loss: number;
  /** By how many milliseconds the delay grew per millisecond: a queue. */
  readonly growth: number;
  /**
   * Whether the path carries the rate, or why not: too much was `lost`, a `queue`
   * grew, or the sender was `late`, so that it is not known. What can be due to a
   * busy machine is tried again, up to three times in all.
   */
  readonly outcome: "passed" | "lost" | "queue" | "late";
}

/** Options as they were when they were read, checked. */
export interface SearchSettings {
  readonly sizes: readonly number[];
  readonly highest: number | undefined;
  readonly maxLoss: number;
  readonly resolution: number;
  readonly trialMs: number;
  readonly confirmMs: number;
  /** Never throws. */
  readonly report: (trial: RateTrial) => void;
}

const ACTION = "search a rate";
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Reads options once, and checks them.
 *
 * @throws {RangeError} An option is out of range.
 * @throws {TypeError} An option is of the wrong type.
 */
export function readSearchOptions(options: RateSearchOptions): SearchSettings {
  requireOptions(ACTION, options);
  const { maxLoss = 0.001, resolution = 0.01, onTrial, onError } = options;
  const { rate, sizes } = readMeasureOptions(options);
  const isGiven = options.rate !== undefined ||
    options.bitsPerSecond !== undefined;
  const numbers = [
    ["maxLoss", maxLoss, "from 0 and below 1", maxLoss >= 0 && maxLoss < 1],
    [
      "resolution",
      resolution,
      "from 0.001 to 0.5",
      resolution >= 0.001 && resolution <= 0.5,
    ],
  ] as const;
  for (const [name, value, wanted, fits] of numbers) {
    if (!fits) throw outOfRange(ACTION, name, `a number ${wanted}`, value);
  }
  const trialMs = readMs("trialMs", options.trialMs ?? 2000);
  const confirmMs = readMs(
    "confirmMs",
    options.confirmMs ?? Math.min(trialMs * 5, LONGEST_MS),
  );
  if (onTrial !== undefined) requireFunction(ACTION, "onTrial", onTrial);
  const failed = reporter(onError);
  const report = (trial: RateTrial) => {
    try {
      const called: unknown = onTrial?.(trial);
      if (isThenable(called)) Promise.resolve(called).catch(failed);
    } catch (error) {
      failed(error);
    }
  };
  const highest = isGiven ? rate : undefined;
  return { sizes, highest, maxLoss, resolution, trialMs, confirmMs, report };
}

function readMs(name: string, value: number): number {
  const ms = milliseconds(ACTION, name, value, 1);
  if (ms !== undefined) return ms;
  throw outOfRange(ACTION, name, "finite", value);
}
