import { parseArgs } from "@std/cli/parse-args";
import { quote } from "../errors.ts";

/** What was typed cannot be meant: exit code 1, with a pointer to `--help`. */
export class UsageError extends Error {}

/** Which options a program knows. */
export interface OptionNames<V extends string, F extends string> {
  /** Options that take a value. */
  values: readonly V[];
  /** Options that take none. */
  flags: readonly F[];
}

/** What was typed. */
export interface Options<V extends string, F extends string> {
  values: { [name in V]?: string };
  flags: { [name in F]: boolean };
  /** All that is no option, in order. */
  rest: string[];
}

/**
 * Reads a command line, and refuses what `parseArgs` by itself lets pass:
 * unknown options, missing values, values where none goes, an option twice.
 */
export function parseOptions<V extends string, F extends string>(
  args: readonly string[],
  { values, flags }: OptionNames<V, F>,
): Options<V, F> {
  const joined = joinValues(args, values, flags);
  const parsed = parseArgs(joined, {
    string: [...values, "_"],
    boolean: flags,
    unknown: (arg, key) => {
      if (key === undefined) return true;
      throw new UsageError(
        `unknown option ${
          quote(arg)
        }; a message that begins with a dash goes after --`,
      );
    },
  });
  return {
    values: Object.fromEntries(
      values.filter((name) => parsed[name] !== undefined)
        .map((name) => [name, parsed[name]]),
    ) as { [name in V]?: string },
    flags: Object.fromEntries(
      flags.map((name) => [name, parsed[name] === true]),
    ) as { [name in F]: boolean },
    rest: parsed._,
  };
}

/** Turns `--count 3` into `--count=3`, so that `-1` and `""` can be values. */
function joinValues(
  args: readonly string[],
  values: readonly string[],
  flags: readonly string[],
): string[] {
  const joined: string[] = [];
  const seen = new Set<string>();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === "--") return [...joined, ...args.slice(i)];
    const match = /^--([^=]+)(=)?/.exec(arg);
    if (match === null) {
      joined.push(arg);
      continue;
    }
    const [, name, equals] = match;
    if (seen.has(name)) throw new UsageError(`--${name} is given twice`);
    if (flags.includes(name)) {
      if (equals) throw new UsageError(`--${name} takes no value`);
      seen.add(name);
    }
    if (!values.includes(name)) {
      joined.push(arg);
      continue;
    }
    seen.add(name);
    if (equals) joined.push(arg);
    else if (++i < args.length) joined.push(`--${name}=${args[i]}`);
    else throw new UsageError(`--${name} needs a value`);
  }
  return joined;
}

/** A whole number from `from` on, or what `--name` is by default. */
export function wholeNumber<D>(
  name: string,
  text: string | undefined,
  from: number,
  otherwise: D,
): number | D {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= from) {
    return value;
  }
  throw new UsageError(
    `--${name} ${quote(text)}: must be a whole number from ${from}`,
  );
}

const UNITS: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const MAX_DURATION_MS = 2 ** 31 - 1;

/** A time such as `500ms`, `10s`, `1.5m` in milliseconds. */
export function duration<D>(
  name: string,
  text: string | undefined,
  otherwise: D,
): number | D {
  if (text === undefined) return otherwise;
  const ms = Math.round(milliseconds(text));
  if (ms > 0 && ms <= MAX_DURATION_MS) return ms;
  throw new UsageError(
    `--${name} ${
      quote(text)
    }: must be a time from 1ms to 24 days, such as 500ms, 10s or 1m`,
  );
}

/** A number and its unit in milliseconds; `NaN` where the text is none. */
export function milliseconds(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  return Number(number) * UNITS[unit];
}

/** One of a few words. */
export function oneOf<W extends string>(
  name: string,
  text: string | undefined,
  words: readonly W[],
  otherwise: W,
): W {
  const word = words.find((word) => word === (text ?? otherwise));
  if (word !== undefined) return word;
  throw new UsageError(
    `--${name} ${quote(text ?? "")}: must be one of ${words.join(", ")}`,
  );
}
