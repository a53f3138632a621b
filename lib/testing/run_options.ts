import { outOfRange, requireOptions, wrongType } from "../check.ts";
import { cannot, fieldsOf, quote, withFields } from "../errors.ts";
import type { RunOptions } from "./network_options.ts";

const ACTION = "run";
const DEFAULTS = {
  timers: "virtual",
  random: "seed",
  now: Date.UTC(2026, 0, 1),
  dgram: false,
  limitMs: Infinity,
  left: "report",
} as const;

/** The names of all options. */
export const RUN_OPTIONS: readonly string[] = Object.keys(DEFAULTS);

/** How a program is run, checked; `now` in milliseconds since 1970. */
export interface CheckedRunOptions {
  readonly timers: "virtual" | "real";
  readonly random: "seed" | "real";
  readonly now: number;
  readonly dgram: boolean;
  readonly limitMs: number;
  readonly left: "report" | "reject" | "ignore";
}

/**
 * Checks the options of `run` and completes them.
 *
 * @throws {RangeError} An option has no such value.
 * @throws {TypeError} There is no such option, or `now` is no date.
 */
export function checkRunOptions(options: RunOptions): CheckedRunOptions {
  requireOptions(ACTION, options);
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(DEFAULTS, name)) continue;
    const why = `there is no option ${quote(name)}`;
    throw withFields(new TypeError(cannot(ACTION, why)), fieldsOf(ACTION));
  }
  const {
    timers = DEFAULTS.timers,
    random = DEFAULTS.random,
    now = DEFAULTS.now,
    dgram = DEFAULTS.dgram,
    limitMs = DEFAULTS.limitMs,
    left = DEFAULTS.left,
  } = options;
  checkChoice("timers", timers, ["virtual", "real"]);
  checkChoice("random", random, ["seed", "real"]);
  checkChoice("left", left, ["report", "reject", "ignore"]);
  if (!(typeof limitMs === "number" && limitMs >= 0)) {
    throw outOfRange(ACTION, "limitMs", "milliseconds from 0", limitMs);
  }
  const date = typeof now === "number" || now instanceof Date ? +now : NaN;
  if (Number.isNaN(new Date(date).getTime())) {
    throw wrongType(ACTION, "now", "a valid Date or milliseconds", now);
  }
  if (typeof dgram !== "boolean") {
    throw wrongType(ACTION, "dgram", "true or false", dgram);
  }
  return { timers, random, now: date, dgram, limitMs, left };
}

function checkChoice(name: string, value: unknown, choices: string[]): void {
  if (choices.includes(value as string)) return;
  throw outOfRange(ACTION, name, choices.map(quote).join(" or "), value);
}
