/** The results of the benchmarks that are kept, and the pages that show them. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { chart } from "../../bench/lib/chart.ts";
import { curveChart } from "../../bench/lib/curve_chart.ts";
import {
  allPoints,
  AXES,
  type Axis,
  idOf,
  SERIES,
  type Series,
} from "../../bench/lib/curves.ts";
import { ratio } from "../../bench/lib/format.ts";
import { markdown } from "../../bench/lib/markdown.ts";
import { readOutcome } from "../../bench/lib/outcome.ts";
import { newestResults, withResults } from "../../bench/lib/page.ts";
import { median, Results } from "../../bench/lib/results.ts";

const RESULTS = newestResults("");
const CARRIED = newestResults("-carriers");
const CURVES = newestResults("-curves");
const UDP = "over udp, 100";
// The rows of docs/carriers.md that were measured.
const ON_PAGE = {
  QUIC: "quic",
  "QUIC, reliable": "quic-reliable",
  "TCP, `line`": "tcp-line",
  "TCP, `length`": "tcp",
  TLS: "tls",
};

Deno.test("docs/performance.md shows the results that are kept, and their chart", async () => {
  const outcome = await readOutcome(RESULTS);
  const carried = await readOutcome(CARRIED);
  const page = await Deno.readTextFile("docs/performance.md");
  // Lines are broken differently there.
  const words = (text: string) => text.split(/[\s-]+/).join(" ");
  const tables = (parts: string[]) =>
    parts.filter((part) => part.startsWith("|")).map(words).sort();
  const parts = [outcome, carried].map(markdown).join("\n\n").split("\n\n");
  for (const part of parts) assert(words(page).includes(words(part)), part);
  // No table there was not measured.
  assertEquals(tables(page.split("\n\n")), tables(parts));
  const curves = await readOutcome(CURVES);
  for (
    const [name, drawn] of [
      ["performance", chart(outcome)],
      ...(Object.keys(AXES) as Axis[]).map((axis) =>
        [`performance-${axis}`, curveChart(curves, axis)] as const
      ),
    ] as const
  ) {
    const svg = await Deno.readTextFile(`docs/${name}.svg`);
    assert(svg === drawn, `bench/publish.ts draws another docs/${name}.svg`);
  }
});

Deno.test("the curves that are kept have every point of every line", async () => {
  const { figures } = await readOutcome(CURVES);
  for (const series of Object.keys(SERIES) as Series[]) {
    for (const point of allPoints()) {
      assert(figures[idOf(series, point)] !== undefined, idOf(series, point));
    }
  }
});

Deno.test("results replace the tables of a page, and tables that it lacks are added", async () => {
  const whole = await readOutcome(RESULTS);
  const without = (group: string) => ({
    ...whole,
    rows: whole.rows.filter((row) => row.group !== group),
  });
  const page = ["A page.", markdown(without("send")), "The end.", ""].join(
    "\n\n",
  )
    .replaceAll(
      /(?<=\n\n)### (?!Targets).*\n\n[^]*?(?=\n\n)/g,
      (table) =>
        `<details>\n\n${table.replaceAll(/(?<=\d) \|/g, "7 |")}\n\n</details>`,
    );
  const now = withResults(page, whole);
  for (const part of markdown(whole).split("\n\n")) {
    assert(now.includes(part), part);
  }
  assertEquals(withResults(now, whole), now);
  const headings = (text: string) => text.match(/^### .*$/gm);
  assertEquals(headings(now), headings(markdown(whole)));
});

Deno.test("docs/carriers.md shows what each carrier costs beside UDP, from the results that are kept", async () => {
  const { figures, machine } = await readOutcome(CARRIED);
  const results = new Results(figures);
  const page = await Deno.readTextFile("docs/carriers.md");
  const [cpu = "", , , date = ""] = machine.split(" · ");
  assert(page.includes(cpu) && page.includes(date), machine);
  for (const [name, carrier] of Object.entries(ON_PAGE)) {
    const [micros, rate] = ["bothMicros", "received"].map((metric) =>
      ratio(median(results.ratios(metric, `over ${carrier}, 100`, UDP)))
    );
    const line = page.split("\n").find((line) =>
      line.startsWith(`| ${name} `) && line.includes(" CPU, ")
    );
    assertMatch(line!, new RegExp(`\\| ${micros} CPU, ${rate} rate +\\|$`));
  }
});
