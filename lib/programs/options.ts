import { parseArgs } from "@std/cli/parse-args";
import { quote } from "../errors.ts";

/** What was typed cannot be meant: exit code 1, with a pointer to `--help`. */
export class UsageError extends Error {}

/** Which options a program knows. */
export interface OptionNames<
  V extends string,
  F extends string,
  L extends string = never,
> {
  /** Options that take a value. */
  values: readonly V[];
  /** Options that take none. */
  flags: readonly F[];
  /** Options that take a value and may be given several times. */
  lists?: readonly L[];
  /** Which of `values` may be given without one, as with `""`. */
  optional?: readonly V[];
}

/** What was typed. */
export interface Options<
  V extends string,
  F extends string,
  L extends string = never,
> {
  values: { [name in V]?: string };
  flags: { [name in F]: boolean };
  lists: { [name in L]?: string[] };
  /** All that is no option, in order. */
  rest: string[];
}

/**
 * Reads a command line, and refuses what `parseArgs` by itself lets pass:
 * unknown options, missing values, values where none goes, an option twice.
 */
export function parseOptions<
  V extends string,
  F extends string,
  L extends string = never,
>(
  args: readonly string[],
  names: OptionNames<V, F, L>,
): Options<V, F, L> {
  const { values, flags, lists = [] } = names;
  const parsed = parseArgs(joinValues(args, names), {
    string: [...values, ...lists, "_"],
    boolean: flags,
    collect: lists,
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
    lists: Object.fromEntries(
      lists.map((name) => [name, parsed[name]])
        .filter(([, given]) => (given as string[]).length > 0),
    ) as { [name in L]?: string[] },
    rest: parsed._,
  };
}

/** Turns `--count 3` into `--count=3`, so that `-1` and `""` can be values. */
function joinValues(
  args: readonly string[],
  { values, flags, lists = [], optional = [] }: OptionNames<
    string,
    string,
    string
  >,
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
    if (!values.includes(name) && !lists.includes(name)) {
      joined.push(arg);
      continue;
    }
    if (!lists.includes(name)) seen.add(name);
    if (equals) joined.push(arg);
    else if (optional.includes(name) && !isValueOf(args[i + 1])) {
      joined.push(`${arg}=`);
    } else if (++i < args.length) joined.push(`--${name}=${args[i]}`);
    else throw new UsageError(`--${name} needs a value`);
  }
  return joined;
}

/** An option's value, where it may have none: what is no option and no scheme. */
function isValueOf(next: string | undefined): next is string {
  return next !== undefined && !/^-|^unix:|:\/\//.test(next);
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
  d: 86_400_000,
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
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  return Number(number) * UNITS[unit];
}

/** How often, such as `1000/s`, `60/m` or `10` (a second), a second. */
export function rate<D>(
  name: string,
  text: string | undefined,
  otherwise: D,
): number | D {
  if (text === undefined) return otherwise;
  const [, number, unit = "s"] = /^(\d+(?:\.\d+)?)(?:\/(s|m|h))?$/.exec(text) ??
    [];
  const perSecond = Number(number) / UNITS[unit] * 1000;
  if (perSecond > 0 && Number.isFinite(perSecond)) return perSecond;
  throw new UsageError(
    `--${name} ${quote(text)}: must be how often, such as 1000/s or 60/m`,
  );
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
