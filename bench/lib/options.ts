import { parseArgs } from "@std/cli/parse-args";

const RESULTS = "tmp/bench/results.json";

/** How much is measured. */
export interface Options {
  rounds: number;
  seconds: number;
  /** What is measured of all. @default {all} */
  only: string[];
  /** How long to wait for a quiet machine, in all, in seconds. @default {60} */
  patience: number;
  /** Where the results go. @default {"tmp/bench/results.json"} */
  json: string;
}

/** What the usage says, and which options there are. */
export interface About {
  about: string;
  /** The command that runs it. */
  command: string;
  /** @default {7} */
  rounds?: number;
  /** @default {1.5} */
  seconds?: number;
  /** What `--only` takes. @default {there is no `--only`, `--patience` or `--json`} */
  words?: readonly string[];
}

/**
 * Reads the command line. Ends the program after `--help`, and where something
 * is wrong with one line and exit code 1.
 */
export function readOptions(about: About): Options {
  const parts = about.words === undefined ? [] : ["only", "json", "patience"];
  const unknown: string[] = [];
  const args = parseArgs(Deno.args, {
    string: ["_", "rounds", "seconds", ...parts],
    boolean: ["help"],
    unknown: (arg) => void unknown.push(arg),
  }) as Record<string, unknown>;
  if (args.help) {
    console.log(usage(about));
    Deno.exit(0);
  }
  const rounds = Number(args.rounds ?? about.rounds ?? 7);
  const seconds = Number(args.seconds ?? about.seconds ?? 1.5);
  const patience = Number(args.patience ?? 60);
  const only = String(args.only ?? "").split(",").filter((word) => word !== "");
  const strange = only.find((word) => !about.words?.includes(word));
  const wrong = unknown.length > 0
    ? `there is no ${unknown[0]} here`
    : !(Number.isInteger(rounds) && rounds >= 1 && rounds <= 1000)
    ? `--rounds is a whole number from 1 to 1000, not ${args.rounds}`
    : !(seconds >= 0.1 && seconds <= 60)
    ? `--seconds is a number from 0.1 to 60, not ${args.seconds}`
    : !(patience >= 0 && patience <= 3600)
    ? `--patience is a number from 0 to 3600, not ${args.patience}`
    : strange !== undefined
    ? `--only takes ${about.words?.join(", ")}, not ${strange}`
    : args.json === ""
    ? "--json needs a file"
    : undefined;
  if (wrong === undefined) {
    return {
      rounds,
      seconds,
      only,
      patience,
      json: String(args.json ?? RESULTS),
    };
  }
  console.error(`Cannot measure: ${wrong}; --help shows the usage`);
  Deno.exit(1);
}

function usage(
  { about, command, rounds = 7, seconds = 1.5, words }: About,
): string {
  const more = words === undefined ? "" : `
  --only WORDS  some of it, by words with commas between them:
                ${words.join(" ")}
  --patience S  how long to wait for others to be quiet, in all          [60]
  --json FILE   where the results go as JSON        [${RESULTS}]`;
  return `${about}

${command}
  --rounds N    how often everything is measured in turn, 1 to 1000      [${rounds}]
  --seconds S   how long each measurement lasts, 0.1 to 60               [${seconds}]${more}
  --help`;
}
