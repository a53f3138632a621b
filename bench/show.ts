// Shows the results of a run again, as tables or as a chart.
//
//   show.ts tables|chart FILE
import { chart } from "./lib/chart.ts";
import { markdown } from "./lib/markdown.ts";
import { readOutcome } from "./lib/outcome.ts";

const FORMS: Partial<Record<string, typeof chart>> = {
  tables: markdown,
  chart,
};

const [form = "", file] = Deno.args;
const show = FORMS[form];
if (show === undefined || file === undefined) {
  console.error(
    "Usage: deno run --allow-read=. bench/show.ts tables|chart FILE",
  );
  Deno.exit(1);
}
console.log(show(await readOutcome(file)).trimEnd());
