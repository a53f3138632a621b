import { parseArgs } from "@std/cli/parse-args";
import { quote } from "../errors.ts";

const REPLACEMENT = "\ufffd";

/** A command line that cannot be used: exit code 1, with a pointer to `--help`. */
export class UsageError extends Error {}

/** The options of a program, without `--help` and `--version`, which all have. */
export interface OptionNames {
  /** Options that take a value. */
  readonly values: readonly string[];
  /** Options without a value. */
  readonly flags: readonly string[];
  /** Options that take a value and may be repeated. */
  readonly lists?: readonly string[];
  /** Those of `values` that may stand without one, which is read as `""`. */
  readonly optional?: readonly string[];
  /** A sentence for the error about an unknown option. */
  readonly hint?: string;
  /** A sentence for the error about an argument that is not UTF-8. */
  readonly bytesHint?: string;
}

/** A command line, by the names in `N`. */
export interface Options<N extends OptionNames> {
  readonly values: { readonly [name in N["values"][number]]?: string };
  readonly flags: {
    readonly [name in N["flags"][number] | "help" | "version"]: boolean;
  };
  readonly lists: {
    readonly [name in NonNullable<N["lists"]>[number]]?: string[];
  };
  /** All that is not an option, in order. */
  readonly rest: readonly string[];
}

/**
 * Reads a command line. Unlike `parseArgs` alone it rejects unknown
 * options, missing values, values of options that take none, an option twice, and
 * bytes that are not UTF-8.
 *
 * @throws {UsageError} The command line is wrong.
 */
export function parseOptions<const N extends OptionNames>(
  args: readonly string[],
  names: N,
): Options<N> {
  requireUtf8(args, names);
  const { values, lists = [], hint } = names;
  const flags = [...names.flags, "help", "version"];
  // Not by the literal types of its options, which cannot follow a generic `N`.
  const strings: string[] = [...values, ...lists, "_"];
  const parsed: Record<string, unknown> = parseArgs(
    joinValues(args, { ...names, flags }),
    {
      string: strings,
      boolean: flags,
      collect: lists,
      unknown: (arg: string, key?: string) => {
        if (key === undefined) return true;
        const more = hint === undefined ? "" : `; ${hint}`;
        throw new UsageError(`unknown option ${quote(arg)}${more}`);
      },
    },
  );
  const given = (
    names: readonly string[],
    isGiven: (value: unknown) => boolean,
  ) =>
    Object.fromEntries(
      names.map((name) => [name, parsed[name]] as const)
        .filter(([, value]) => isGiven(value)),
    );
  return {
    values: given(values, (value) => value !== undefined),
    flags: Object.fromEntries(
      flags.map((name) => [name, parsed[name] === true]),
    ),
    lists: given(lists, (value) => Array.isArray(value) && value.length > 0),
    rest: parsed["_"],
  } as Options<N>;
}

/**
 * Rejects arguments that the system has as other bytes. Deno replaces these by
 * U+FFFD, and has no way to tell them from a U+FFFD that was meant.
 */
function requireUtf8(args: readonly string[], { bytesHint }: OptionNames) {
  const arg = args.find((arg) => arg.includes(REPLACEMENT));
  if (arg === undefined) return;
  const more = bytesHint === undefined ? "" : `; ${bytesHint}`;
  throw new UsageError(
    `argument ${quote(arg)}: must be UTF-8, without U+FFFD${more}`,
  );
}

/** Turns `--count 3` into `--count=3`, so that `-1` and `""` can be values. */
function joinValues(
  args: readonly string[],
  { values, flags, lists = [], optional = [] }: OptionNames,
): string[] {
  const joined: string[] = [];
  const seen = new Set<string>();
  const left = [...args];
  for (;;) {
    const given = left.shift();
    if (given === undefined) return joined;
    if (given === "--") return [...joined, given, ...left];
    const arg = given === "-h" ? "--help" : given;
    const [, name, equals] = /^--([^=]+)(=)?/.exec(arg) ?? [];
    if (name === undefined) {
      joined.push(arg);
      continue;
    }
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
    const [next] = left;
    if (equals) joined.push(arg);
    else if (optional.includes(name) && !isValueOf(next)) {
      joined.push(`${arg}=`);
    } else if (next !== undefined) {
      joined.push(`--${name}=${next}`);
      left.shift();
    } else throw new UsageError(`--${name} needs a value`);
  }
}

/** Whether it is the value of an option that needs none: no option, no scheme. */
function isValueOf(next: string | undefined): boolean {
  return next !== undefined && !/^-|^unix:|:\/\//.test(next);
}

/**
 * Rejects arguments that are not options.
 *
 * @throws {UsageError} There are some.
 */
export function noArguments([first]: readonly string[]): void {
  if (first === undefined) return;
  throw new UsageError(`unexpected argument ${quote(first)}`);
}

/**
 * Rejects an option without the one that it belongs to.
 *
 * @throws {UsageError} `--name` is given, and the other one is not.
 */
export function requires(given: Given, name: string, other: string): void {
  if (!isGiven(given, name) || isGiven(given, other)) return;
  throw new UsageError(`--${name} needs --${other}`);
}

/**
 * Rejects two options that exclude each other.
 *
 * @throws {UsageError} Both are given.
 */
export function notBoth(given: Given, one: string, other: string): void {
  if (!isGiven(given, one) || !isGiven(given, other)) return;
  throw new UsageError(`--${one} and --${other}: give one of them`);
}

/** Values and flags by name. */
export type Given = Readonly<Record<string, string | boolean | undefined>>;

/** Whether an option is on the command line. */
export function isGiven(given: Given, name: string): boolean {
  return given[name] !== undefined && given[name] !== false;
}

/** A whole number in a range; without text, the default. */
export function wholeNumber<D>(
  name: string,
  text: string | undefined,
  from: number,
  otherwise: D,
  to: number = Number.MAX_SAFE_INTEGER,
): number | D {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= from && value <= to) return value;
  const range = to === Number.MAX_SAFE_INTEGER
    ? `from ${from}`
    : `from ${from} to ${to}`;
  throw new UsageError(
    `--${name} ${quote(text)}: must be a whole number ${range}`,
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

/** A time such as `500ms`, `10s` or `1.5m`, in milliseconds. */
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

/** A number with its unit, in milliseconds; `NaN` if the text is not one. */
export function milliseconds(text: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ??
    [];
  return Number(number) * (UNITS[unit] ?? NaN);
}

/** A rate such as `1000/s`, `60/m` or `10` (per second), per second. */
export function rate<D>(
  name: string,
  text: string | undefined,
  otherwise: D,
): number | D {
  if (text === undefined) return otherwise;
  const [, number, unit = "s"] = /^(\d+(?:\.\d+)?)(?:\/(s|m|h))?$/.exec(text) ??
    [];
  const perSecond = Number(number) / (UNITS[unit] ?? NaN) * 1000;
  if (perSecond > 0 && Number.isFinite(perSecond)) return perSecond;
  throw new UsageError(
    `--${name} ${quote(text)}: must be a rate, such as 1000/s or 60/m`,
  );
}

const BYTE_UNITS: Record<string, number> = {
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
};

/** A size such as `500MB`, `1.5GiB`, `4M` (MiB) or `4096` (bytes), in bytes. */
export function bytes<D>(
  name: string,
  text: string | undefined,
  otherwise: D,
): number | D {
  if (text === undefined) return otherwise;
  const [, number, unit] = /^(\d+(?:\.\d+)?)([kmg](?:i?b)?)?$/i.exec(text) ??
    [];
  const factor = unit === undefined ? 1 : BYTE_UNITS[unit.toLowerCase()];
  const size = Math.round(Number(number) * (factor ?? NaN));
  if (size > 0 && Number.isSafeInteger(size)) return size;
  throw new UsageError(
    `--${name} ${quote(text)}: must be a size, such as 500MB, 1GiB or 4096`,
  );
}

/** One of a few words; without text, the default. */
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

/** The path of a file or a folder, which may be missing but not empty. */
export function path<T extends string | undefined>(name: string, text: T): T {
  if (text !== "") return text;
  throw new UsageError(`--${name} "": must be a path`);
}
