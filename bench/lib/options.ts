import { parseArgs } from "@std/cli/parse-args";
import { CARRIERS } from "./carriers.ts";
import { FILTERS, GROUPS } from "./groups.ts";

/** How much is measured. */
export interface Options {
  /** How often everything is measured. */
  rounds: number;
  /** The length of each measurement. */
  seconds: number;
  /** Seconds to wait, in all, for other programs to be quiet. */
  patience: number;
  /** Filters: the part that is measured. @default {all that is not on request} */
  only: string[];
  /** The file for the results. */
  json: string;
}

const NUMBERS = {
  rounds: { from: 1, to: 1000, isWhole: true, otherwise: 7 },
  seconds: { from: 0.1, to: 60, isWhole: false, otherwise: 0.5 },
  patience: { from: 0, to: 3600, isWhole: false, otherwise: 60 },
};
const RESULTS = "tmp/bench/results.json";

const HELP = `Measures this library beside other programs that do the same work.
Usage: deno task bench [options]

  --only FILTERS  measure a part, for example --only receive,pairs,100
  --rounds N      measure everything this many times, 1 to 1000            [7]
  --seconds S     length of each measurement, 0.1 to 60                  [0.5]
  --patience S    wait up to this long, in all, for other programs to be quiet,
                  and repeat what they disturbed                          [60]
  --json FILE     write the results here     [${RESULTS}]
  --help

Filters, separated by commas. Filters of one kind are alternatives; what is
measured matches one of each kind that is given. Groups:
${
  GROUPS.map(({ name, title, isOnRequest }) =>
    `  ${name.padEnd(14)}${title}${isOnRequest ? " (only on request)" : ""}\n`
  ).join("")
}Bytes per datagram:
  ${FILTERS.size.join(" ")}
Implementations:
${wrapped(FILTERS.implementation.filter((name) => !(name in CARRIERS)))}
  ${Object.keys(CARRIERS).join(" ")}

Exit codes: 0 done; 1 bad usage, or nothing could be measured.`;

/** Reads the command line. Ends the program after `--help` or a mistake. */
export function readOptions(args: readonly string[]): Options {
  const unknown: string[] = [];
  const given = parseArgs([...args], {
    string: ["_", ...Object.keys(NUMBERS), "only", "json"],
    boolean: ["help"],
    unknown: (arg) => void unknown.push(arg),
  }) as Record<string, unknown>;
  const { help, rounds, seconds, patience, only, json } = given;
  if (help) {
    console.log(HELP);
    Deno.exit(0);
  }
  if (unknown.length > 0) misused(`unknown argument ${shown(unknown[0])}`);
  const empty = Object.keys(given).find((name) => given[name] === "");
  if (empty !== undefined) misused(`--${empty} needs a value`);
  return {
    rounds: number("rounds", rounds),
    seconds: number("seconds", seconds),
    patience: number("patience", patience),
    only: filters(only),
    json: String(json ?? RESULTS),
  };
}

/** Ends the program with one line on standard error. */
export function fail(reason: string): never {
  console.error(`Cannot measure: ${reason}`);
  Deno.exit(1);
}

function misused(reason: string): never {
  fail(`${reason}; --help shows the usage`);
}

function number(name: keyof typeof NUMBERS, given: unknown): number {
  const { from, to, isWhole, otherwise } = NUMBERS[name];
  if (given === undefined) return otherwise;
  const value = Number(given);
  if (value >= from && value <= to && (!isWhole || Number.isInteger(value))) {
    return value;
  }
  const kind = isWhole ? "a whole number" : "a number";
  misused(
    `--${name} must be ${kind} from ${from} to ${to}: given ${shown(given)}`,
  );
}

function filters(given: unknown): string[] {
  if (given === undefined) return [];
  const words = String(given).split(",");
  const all = Object.values(FILTERS).flat();
  const strange = words.find((word) => !all.includes(word));
  if (strange !== undefined) {
    misused(`--only: unknown filter ${shown(strange)}`);
  }
  return words;
}

function shown(given: unknown): string {
  return JSON.stringify(given);
}

/** Puts names into indented lines of at most 80 columns. */
function wrapped(names: readonly string[]): string {
  const lines: string[] = [];
  for (const name of names) {
    const longer = `${lines.at(-1)} ${name}`;
    if (lines.length > 0 && longer.length <= 80) lines.splice(-1, 1, longer);
    else lines.push(`  ${name}`);
  }
  return lines.join("\n");
}
