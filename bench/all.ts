// Measures this library beside other programs that do the same work.
import { select } from "./lib/groups.ts";
import { markdown } from "./lib/markdown.ts";
import { fail, readOptions } from "./lib/options.ts";
import { checkWritable, writeOutcome } from "./lib/outcome.ts";
import { sideBySide } from "./lib/side_by_side.ts";

const options = readOptions(Deno.args);
const { only, json } = options;
const cases = select(only);
if (cases.length === 0) fail(`nothing matches --only ${only.join(",")}`);
try {
  await checkWritable(json);
} catch (error) {
  fail(`--json ${json} cannot be written: ${(error as Error).message}`);
}
const outcome = await sideBySide(cases, options);
if (outcome.rows.length === 0) {
  const reasons = outcome.missing.map(({ what, reason }) =>
    `${what}: ${reason}`
  );
  fail(reasons.join("; "));
}
console.log(markdown(outcome));
await writeOutcome(outcome, json);
