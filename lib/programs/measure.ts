/**
 * The program `deno task measure`: measures the path to a reflector.
 *
 * @module
 */
import { HELP, MEASURE_OPTIONS } from "./measure/help.ts";
import { runMeasurement } from "./measure/run.ts";
import { runSearch } from "./measure/run_search.ts";
import { measurePurposes, measureSettings } from "./measure/settings.ts";
import { parseOptions } from "./options.ts";
import { requirePermissions } from "./permissions.ts";
import { EXIT, isAnswered, runProgram } from "./program.ts";

/** The program `measure`. Returns its exit code. */
export async function measure(
  args: readonly string[],
  script: string,
): Promise<number> {
  const options = parseOptions(args, MEASURE_OPTIONS);
  if (isAnswered(options.flags, HELP)) return EXIT.done;
  const settings = measureSettings(options);
  requirePermissions(measurePurposes(settings), { script, args });
  return settings.search === undefined
    ? await runMeasurement(settings)
    : await runSearch(settings, settings.search);
}

if (import.meta.main) {
  await runProgram("measure", () => measure(Deno.args, import.meta.filename!));
}
