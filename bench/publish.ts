// Puts the newest results that are kept into docs/performance.md and its charts.
import { chart } from "./lib/chart.ts";
import { curveChart } from "./lib/curve_chart.ts";
import { AXES, type Axis } from "./lib/curves.ts";
import { readOutcome } from "./lib/outcome.ts";
import { newestResults, withResults } from "./lib/page.ts";

const PAGE = "docs/performance";
const whole = await readOutcome(newestResults(""));
const carriers = await readOutcome(newestResults("-carriers"));
const curves = await readOutcome(newestResults("-curves"));

let page = await Deno.readTextFile(`${PAGE}.md`);
for (const outcome of [whole, carriers]) page = withResults(page, outcome);
await Deno.writeTextFile(`${PAGE}.md`, page);
await Deno.writeTextFile(`${PAGE}.svg`, chart(whole));
for (const axis of Object.keys(AXES) as Axis[]) {
  await Deno.writeTextFile(`${PAGE}-${axis}.svg`, curveChart(curves, axis));
}
