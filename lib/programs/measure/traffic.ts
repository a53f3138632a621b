import { quote } from "../../errors.ts";
import { rate, UsageError } from "../options.ts";

const BITS: Readonly<Record<string, number>> = {
  bit: 1,
  kbit: 1e3,
  mbit: 1e6,
  gbit: 1e9,
};
const MAX_SIZES = 100;
// The library takes rates below that.
const MAX = 1e12;

/**
 * Reads `--size`: a length in bytes, several that take turns, or `imix`.
 *
 * @param shortest The shortest question.
 * @param longest The longest that the carrier takes.
 * @throws {UsageError} It is not that.
 */
export function readSize(
  text: string | undefined,
  shortest: number,
  longest: number,
): number[] | "imix" | undefined {
  if (text === undefined || text === "imix") return text;
  const sizes = text.split(",")
    .map((part) => /^\d+$/.test(part) ? Number(part) : NaN);
  const fits = sizes.length <= MAX_SIZES &&
    sizes.every((size) => size >= shortest && size <= longest);
  if (fits) return sizes;
  throw new UsageError(
    `--size ${
      quote(text)
    }: must be lengths from ${shortest} to ${longest} bytes, such as 100 or 100,1400, or imix`,
  );
}

/** A rate in datagrams or in bits per second, as `measure` takes it. */
export type TrafficRate =
  | { readonly rate: number }
  | { readonly bitsPerSecond: number };

/**
 * Reads a rate in datagrams, such as `1000/s`, or in bits per second of their own
 * bytes, such as `10mbit`.
 *
 * @throws {UsageError} It is not that.
 */
export function readTrafficRate(
  name: string,
  text: string | undefined,
): TrafficRate | undefined {
  if (text === undefined) return undefined;
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)([kmg]?bit)$/.exec(text) ?? [];
  const bitsPerSecond = Number(number) * (BITS[unit] ?? NaN);
  if (bitsPerSecond > 0 && bitsPerSecond < MAX) return { bitsPerSecond };
  const perSecond = ratePerSecond(name, text);
  if (perSecond < MAX) return { rate: perSecond };
  throw wrong(name, text);
}

function ratePerSecond(name: string, text: string): number {
  try {
    return rate(name, text, NaN);
  } catch {
    throw wrong(name, text);
  }
}

function wrong(name: string, text: string): UsageError {
  return new UsageError(
    `--${name} ${quote(text)}: must be a rate, such as 1000/s or 10mbit`,
  );
}

/** Writes bits per second, as in `9.97 Mbit/s`. */
export function formatBits(bits: number): string {
  const units = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"];
  let power = 0;
  while (power < units.length - 1 && bits >= 1000 ** (power + 1)) power++;
  return `${Number((bits / 1000 ** power).toPrecision(4))} ${units[power]}`;
}
