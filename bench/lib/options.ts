import { parseArgs } from "@std/cli/parse-args";

/** How much is measured. */
export interface Options {
  rounds: number;
  seconds: number;
}

interface About {
  about: string;
  script: string;
  flags?: string;
}

/**
 * Reads the command line. Ends the program after `--help`, and where something
 * is wrong with exit code 1.
 */
export function readOptions(about: About): Options {
  const unknown: string[] = [];
  const args = parseArgs(Deno.args, {
    string: ["_", "rounds", "seconds"],
    boolean: ["help"],
    unknown: (arg) => void unknown.push(arg),
  });
  if (args.help) {
    console.log(usage(about));
    Deno.exit(0);
  }
  const rounds = Number(args.rounds ?? 7);
  const seconds = Number(args.seconds ?? 1.5);
  const valid = unknown.length === 0 && Number.isInteger(rounds) &&
    rounds >= 1 && rounds <= 1000 && seconds >= 0.1 && seconds <= 60;
  if (valid) return { rounds, seconds };
  console.error(usage(about));
  Deno.exit(1);
}

function usage({ about, script, flags }: About): string {
  const more = flags === undefined ? "" : `${flags} \\\n  `;
  return `${about}

deno run --allow-net=127.0.0.1 --allow-sys=cpus,osRelease \\
  --allow-run="$(deno eval 'console.log(Deno.execPath())')" ${more}bench/${script}
  --rounds N    how often everything is measured in turn, 1 to 1000      [7]
  --seconds S   how long each measurement lasts, 0.1 to 60               [1.5]
  --help`;
}
