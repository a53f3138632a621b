import { quote } from "../errors.ts";
import type { Faults } from "../testing/faults.ts";
import { milliseconds, UsageError, wholeNumber } from "./options.ts";

/** The options for faults. */
export const FAULT_OPTIONS = [
  "loss",
  "duplicate",
  "duplicate-again",
  "burst",
  "reorder",
  "corrupt",
  "delay",
  "bandwidth",
  "mtu",
  "queue",
] as const;

/** Faults as they are written on a command line. */
export type FaultTexts = { readonly [name in FaultName]?: string };

type FaultName = typeof FAULT_OPTIONS[number];

const BITS: Record<string, number> = {
  bit: 1,
  kbit: 1000,
  mbit: 1_000_000,
  gbit: 1_000_000_000,
};
const MAX_DELAY_MS = 3_600_000;
const MAX_SAMPLES = 1000;
// Ends a fault that has no 0.
const NONE = "none";

/** Reads the options for faults; without its option, a fault does not happen. */
export function readFaults(values: FaultTexts): Faults {
  if (values.queue !== undefined && values.bandwidth === undefined) {
    throw new UsageError("--queue needs --bandwidth");
  }
  return {
    loss: percentage("loss", values.loss),
    duplicate: percentage("duplicate", values.duplicate),
    duplicateAgain: percentage("duplicate-again", values["duplicate-again"]),
    burst: burst("burst", values.burst),
    reorder: percentage("reorder", values.reorder),
    corrupt: percentage("corrupt", values.corrupt),
    delayMs: delay("delay", values.delay),
    bandwidth: bitRate("bandwidth", values.bandwidth),
    mtu: values.mtu === NONE
      ? Infinity
      : wholeNumber("mtu", values.mtu, 1, undefined),
    queue: wholeNumber("queue", values.queue, 1, undefined),
  };
}

/**
 * Reads a list of faults, such as `loss=10%,delay=20ms` or `loss 10% delay 20ms`,
 * over others.
 *
 * @param where What it is given to, for the errors.
 * @throws {UsageError} One line, which begins with `where`.
 */
export function readFaultList(
  where: string,
  text: string,
  others: FaultTexts = {},
): { texts: FaultTexts; faults: Faults } {
  const words = text.split(/[\s,=]+/).filter((word) => word !== "");
  const given: { [name in FaultName]?: string } = {};
  for (let n = 0; n < words.length; n += 2) {
    const [word = "", value] = words.slice(n, n + 2);
    const name = FAULT_OPTIONS.find((name) => name === word);
    if (name === undefined) {
      const names = FAULT_OPTIONS.join(", ");
      throw new UsageError(
        `${where}: there is no fault ${quote(word)}; there are ${names}`,
      );
    }
    if (value === undefined) {
      throw new UsageError(`${where}: ${name} needs a value`);
    }
    if (name in given) throw new UsageError(`${where}: ${name} is given twice`);
    given[name] = value;
  }
  if (words.length === 0) {
    throw new UsageError(`${where}: give faults, such as loss=10%,delay=20ms`);
  }
  const texts = { ...others, ...given };
  try {
    return { texts, faults: readFaults(texts) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const message = error.message.replace(/^--|(?<= needs )--/g, "");
    throw new UsageError(`${where}: ${message}`);
  }
}

/** Describes faults as a list, without those that do not happen. */
export function describeFaults(texts: FaultTexts): string {
  const happens = (name: FaultName) =>
    !/^(none|0(\.0+)?(%|ms|s|m|h|d)?)$/.test(texts[name] ?? NONE);
  return FAULT_OPTIONS.filter(happens)
    .filter((name) => name !== "queue" || happens("bandwidth"))
    .map((name) => `${name}=${texts[name]}`).join(",") || NONE;
}

/** `10%`, `0.1%` or `0` as a probability. */
function percentage(
  name: string,
  text: string | undefined,
): number | undefined {
  if (text === undefined) return undefined;
  const value = probability(text);
  if (value <= 1) return value;
  throw new UsageError(
    `--${name} ${quote(text)}: must be from 0% to 100%, such as 0.5% or 10%`,
  );
}

/** `NaN` if the text is not a percentage. */
function probability(text: string): number {
  const number = /^(\d+(?:\.\d+)?)%$|^0$/.exec(text);
  return number ? Number(number[1] ?? 0) / 100 : NaN;
}

/** `1%/25%`: how probably a burst begins and ends; a third part is its loss. */
function burst(name: string, text: string | undefined): Faults["burst"] {
  if (text === undefined) return undefined;
  if (text === NONE) return { enter: 0, leave: 1, loss: 0 };
  const parts = text.split("/");
  if (parts.length === 2 || parts.length === 3) {
    const [enter = NaN, leave = NaN, loss = 1] = parts.map(probability);
    if (enter <= 1 && leave <= 1 && loss <= 1) return { enter, leave, loss };
  }
  throw new UsageError(
    `--${name} ${quote(text)}: must be the percentages that begin and end a ` +
      "burst, such as 1%/25%, or none",
  );
}

/**
 * `20ms` for a constant one, `20ms..80ms` for an even one, `50ms+-10ms` for a
 * normal one, and `20ms:9/200ms:1` for times with weights.
 */
function delay(name: string, text: string | undefined): Faults["delayMs"] {
  if (text === undefined) return undefined;
  const delay = text.includes("+-")
    ? normal(text)
    : /[:/]/.test(text)
    ? timesWithWeights(text)
    : range(text);
  if (delay !== undefined) return delay;
  throw new UsageError(
    `--${name} ${quote(text)}: must be a time up to 1h or a range of them, ` +
      "such as 20ms..80ms, 50ms+-10ms or 20ms:9/200ms:1",
  );
}

function range(text: string): Faults["delayMs"] {
  const times = text.split("..").map(milliseconds);
  const [min = NaN, max = min] = times;
  const isRange = times.length <= 2 && min <= max && max <= MAX_DELAY_MS;
  return isRange ? { min, max } : undefined;
}

function normal(text: string): Faults["delayMs"] {
  const times = text.split("+-").map(milliseconds);
  const [mean = NaN, deviation = NaN] = times;
  const isNormal = times.length === 2 && mean <= MAX_DELAY_MS &&
    deviation <= MAX_DELAY_MS;
  return isNormal ? { mean, deviation } : undefined;
}

function timesWithWeights(text: string): Faults["delayMs"] {
  const samples = text.split("/").map((part) => {
    const [, time = "", weight = "1"] = /^([^:]+)(?::(\d{1,9}))?$/.exec(part) ??
      [];
    return { ms: milliseconds(time), weight: Number(weight) };
  });
  const areTimes = samples.length <= MAX_SAMPLES &&
    samples.every(({ ms }) => ms <= MAX_DELAY_MS) &&
    samples.some(({ weight }) => weight > 0);
  return areTimes ? samples : undefined;
}

/** `64kbit` or `1.5mbit`, in bits per second. */
function bitRate(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (text === NONE) return Infinity;
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)([kmg]?bit)$/.exec(text) ??
    [];
  const bits = Number(number) * (BITS[unit] ?? NaN);
  if (bits > 0 && bits < Infinity) return bits;
  throw new UsageError(
    `--${name} ${
      quote(text)
    }: must be bits per second above 0, such as 64kbit, 1mbit or 1gbit`,
  );
}
