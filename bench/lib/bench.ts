import { machine } from "./machine.ts";
import { type Options, readOptions } from "./options.ts";
import { absolutes, comparisons, type Target, verdicts } from "./report.ts";
import { Results } from "./results.ts";

/** What is measured side by side, and what should come of it. */
export interface Bench<S extends string, F extends string> {
  /** Its file, for the usage. */
  script: string;
  /** What it measures, for the usage and as the report's title. */
  about: string;
  /** Permissions that it needs beyond those of all, for the usage. */
  flags?: string;
  /** The contenders, as the report calls them. */
  subjects: Record<S, string>;
  /** What is measured of each, as the report calls it. */
  figures: Record<F, string>;
  /** The ratios to report, and what they should be. */
  targets: readonly Target<NoInfer<S>, NoInfer<F>>[];
  /** Measures one of them once, in processes that end with it. */
  measure(subject: S, seconds: number): Promise<Record<F, number>>;
  /** What to say about how it was measured. */
  note?(): string;
}

/** Runs all rounds, then prints the report. */
export async function run<S extends string, F extends string>(
  bench: Bench<S, F>,
): Promise<void> {
  const options = readOptions({ about: bench.about, command: command(bench) });
  console.log(machine());
  const results = await runRounds(bench, options);
  const { rounds, seconds } = options;
  console.log(`${bench.about} Medians of ${rounds} rounds, ${seconds} s each.`);
  if (bench.note) console.log(bench.note());
  console.log(`\n${absolutes(bench.subjects, bench.figures, results)}`);
  console.log(`\n${comparisons(bench.targets, results)}`);
  console.log(`\n${verdicts(bench.targets, results)}`);
}

/**
 * Measures every subject once a round. Every other round goes backwards, so
 * that a machine that grows faster or slower favours none.
 */
async function runRounds<S extends string, F extends string>(
  { subjects, measure }: Bench<S, F>,
  { rounds, seconds }: Options,
): Promise<Results<S, F>> {
  const results = new Results<S, F>();
  const order = Object.keys(subjects) as S[];
  for (let round = 1; round <= rounds; round++) {
    console.error(`round ${round} of ${rounds}`);
    for (const subject of order) {
      results.add(subject, await measure(subject, seconds));
    }
    order.reverse();
  }
  return results;
}

function command({ script, flags }: { script: string; flags?: string }) {
  const more = flags === undefined ? "" : `${flags} \\\n  `;
  return `deno run --allow-net=127.0.0.1 --allow-sys=cpus,osRelease \\
  --allow-run="$(deno eval 'console.log(Deno.execPath())')" ${more}bench/${script}`;
}
