// Shows the results of a run again, as tables or as a chart.
//
//   show.ts tables|chart|rate|peers|size FILE
import { chart } from "./lib/chart.ts";
import { curveChart } from "./lib/curve_chart.ts";
import { AXES, type Axis } from "./lib/curves.ts";
import { markdown } from "./lib/markdown.ts";
import { type Outcome, readOutcome } from "./lib/outcome.ts";

const FORMS: Partial<Record<string, typeof chart>> = {
  tables: markdown,
  chart,
  ...Object.fromEntries(
    (Object.keys(AXES) as Axis[]).map((axis) => [
      axis,
      (outcome: Outcome) => curveChart(outcome, axis),
    ]),
  ),
};

const [form = "", file] = Deno.args;
const show = FORMS[form];
if (show === undefined || file === undefined) {
  console.error(
    "Usage: deno run --allow-read=. bench/show.ts tables|chart|rate|peers|size FILE",
  );
  Deno.exit(1);
}
console.log(show(await readOutcome(file)).trimEnd());
