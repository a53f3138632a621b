import { assert, assertEquals, assertMatch } from "@std/assert";
import { plot } from "../lib/programs/measure/plot.ts";
import { svg, text } from "../lib/programs/measure/svg.ts";
import { TimeBins } from "../lib/programs/measure/time_bins.ts";
import {
  histogramOf,
  NO_DELAYS,
  resultWith,
} from "./support/measure_results.ts";

/** Reads XML strictly, and returns its elements by name with their attributes. */
function parse(xml: string): { name: string; attributes: string }[] {
  const elements: { name: string; attributes: string }[] = [];
  const open: string[] = [];
  const pattern =
    /<(\/?)([a-z]+)((?: [\w:-]+="[^"<]*")*)(\/?)>|([^<]+)|([^])/gy;
  for (const match of xml.trim().matchAll(pattern)) {
    const [, end, name = "", attributes = "", isEmpty, content, wrong] = match;
    assertEquals(wrong, undefined, `at ${match.index}`);
    for (const part of [attributes, content ?? ""]) {
      assertEquals(
        part.replace(/&(amp|lt|gt|quot);/g, "").includes("&"),
        false,
      );
      // deno-lint-ignore no-control-regex
      assertEquals(/[\x00-\x08\x0b\x0c\x0e-\x1f]/.test(part), false);
    }
    if (content !== undefined) {
      assert(open.length > 0 || content.trim() === "");
      continue;
    }
    if (end === "/") assertEquals(open.pop(), name);
    else {
      assert(open.length > 0 || elements.length === 0, "one root");
      elements.push({ name, attributes });
      if (isEmpty !== "/") open.push(name);
    }
  }
  assertEquals(open, []);
  return elements;
}

function plotOf(
  questions: Iterable<[atMs: number, delayMs: number | undefined]>,
  changes = {},
): string {
  const bins = new TimeBins();
  const delays = histogramOf([]);
  for (const [at, delay] of questions) {
    bins.add(at, delay);
    if (delay !== undefined) delays.record(delay);
  }
  return plot({
    result: resultWith(changes),
    delays,
    bins: bins.all(),
    binMs: bins.widthMs,
  });
}

function* steady(
  count: number,
  stepMs: number,
): Generator<[number, number | undefined]> {
  for (let n = 0; n < count; n++) {
    yield [n * stepMs, n % 10 === 9 ? undefined : 20 + Math.sin(n)];
  }
}

Deno.test("a plot is valid XML, and readable in light and dark", () => {
  const image = plotOf(steady(1000, 10));
  const elements = parse(image);
  assertEquals(elements[0]!.name, "svg");
  assertMatch(image, /@media \(prefers-color-scheme: dark\)/);
  assertEquals(image.includes("NaN"), false);
  assertEquals(image.includes("Infinity"), false);
});

Deno.test("a plot marks each part of the time in which something was lost", () => {
  const lost = (image: string) =>
    parse(image).filter(({ attributes }) => / class="lost"/.test(attributes))
      .length;
  assertEquals(lost(plotOf([[0, 1], [1000, undefined], [2000, 1]])), 1);
  assertEquals(lost(plotOf([[0, 1], [1000, 2]])), 0);
  assertEquals(lost(plotOf(steady(1000, 10))), 100);
});

Deno.test("a plot has a bounded size, however long it was measured", () => {
  const long = plotOf(steady(200_000, 1000));
  assert(long.length < 200_000, `${long.length} characters`);
  parse(long);
});

Deno.test("a plot of nothing, of one answer and of losses alone is valid too", () => {
  for (
    const questions of [
      [],
      [[0, 0]],
      [[0, 5]],
      [[0, undefined], [1e9, undefined]],
      [[NaN, 1], [Infinity, 1], [-1, 1]],
    ] as [number, number | undefined][][]
  ) {
    const image = plotOf(questions, { rttMs: NO_DELAYS, sent: 0, received: 0 });
    parse(image);
    assertEquals(/NaN|Infinity/.test(image), false);
  }
});

Deno.test("no address breaks the markup of a plot", () => {
  const to = 'udp://<a b="&">\u0000\ud800]]>';
  const image = plotOf([[0, 1]], { to });
  parse(image);
  assertMatch(image, /udp:\/\/&lt;a b=&quot;&amp;&quot;&gt;/);
  parse(svg(1, 1, to, [text(0, 0, "x", to)]));
});

Deno.test("bins of time keep every question, and join in pairs", () => {
  const bins = new TimeBins(10);
  for (let n = 0; n < 100_000; n++) bins.add(n, n % 100 === 0 ? undefined : n);
  const all = bins.all();
  assert(all.length <= 600);
  assertEquals(bins.widthMs, 320);
  const total = all.reduce((sum, { count, lost }) => sum + count + lost, 0);
  assertEquals(total, 100_000);
  assertEquals(all.reduce((sum, { lost }) => sum + lost, 0), 1000);
  for (const { startMs, min, mean, max } of all) {
    assert(min >= startMs && min <= mean && mean <= max);
    assert(max < startMs + 320);
  }
});
