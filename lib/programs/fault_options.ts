import { quote } from "../errors.ts";
import type { Faults } from "../testing/faults.ts";
import { milliseconds, UsageError, wholeNumber } from "./options.ts";

/** The options for faults. */
export const FAULT_OPTIONS = [
  "loss",
  "duplicate",
  "reorder",
  "corrupt",
  "delay",
  "bandwidth",
  "mtu",
  "queue",
] as const;

const BITS: Record<string, number> = {
  bit: 1,
  kbit: 1000,
  mbit: 1_000_000,
  gbit: 1_000_000_000,
};
const MAX_DELAY_MS = 3_600_000;

/** Reads the options for faults; without its option, a fault does not happen. */
export function readFaults(
  values: { [name in typeof FAULT_OPTIONS[number]]?: string },
): Faults {
  if (values.queue !== undefined && values.bandwidth === undefined) {
    throw new UsageError("--queue needs --bandwidth");
  }
  return {
    loss: percentage("loss", values.loss),
    duplicate: percentage("duplicate", values.duplicate),
    reorder: percentage("reorder", values.reorder),
    corrupt: percentage("corrupt", values.corrupt),
    delayMs: durationRange("delay", values.delay),
    bandwidth: bitRate("bandwidth", values.bandwidth),
    mtu: wholeNumber("mtu", values.mtu, 1, undefined),
    queue: wholeNumber("queue", values.queue, 1, undefined),
  };
}

/** `10%`, `0.1%` or `0` as a probability. */
function percentage(
  name: string,
  text: string | undefined,
): number | undefined {
  if (text === undefined) return undefined;
  const number = /^(\d+(?:\.\d+)?)%$|^0$/.exec(text);
  const probability = number ? Number(number[1] ?? 0) / 100 : NaN;
  if (probability <= 1) return probability;
  throw new UsageError(
    `--${name} ${quote(text)}: must be from 0% to 100%, such as 0.5% or 10%`,
  );
}

/** `20ms..80ms`, or `20ms` for a constant one. */
function durationRange(
  name: string,
  text: string | undefined,
): { min: number; max: number } | undefined {
  if (text === undefined) return undefined;
  const times = text.split("..").map(milliseconds);
  const [min = NaN, max = min] = times;
  if (times.length <= 2 && min <= max && max <= MAX_DELAY_MS) {
    return { min, max };
  }
  throw new UsageError(
    `--${name} ${
      quote(text)
    }: must be a time up to 1h or a range of them, such as 20ms..80ms`,
  );
}

/** `64kbit` or `1.5mbit`, in bits per second. */
function bitRate(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
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
