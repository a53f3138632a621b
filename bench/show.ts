// Shows a run's results again: as the tables that it printed, or as a chart.
//
//   show.ts tables|chart FILE
import { chart } from "./lib/chart.ts";
import { markdown } from "./lib/markdown.ts";
import { readOutcome } from "./lib/outcome.ts";

const [form, file] = Deno.args;
const show = form === "tables" ? markdown : form === "chart" ? chart : null;
if (show === null || file === undefined) {
  console.error(
    "Cannot show: deno run --allow-read=. bench/show.ts tables|chart FILE",
  );
  Deno.exit(1);
}
console.log(show(await readOutcome(file)).trimEnd());
