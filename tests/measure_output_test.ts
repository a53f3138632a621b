import { assert, assertEquals, assertMatch } from "@std/assert";
import { barsOf, drawBars, ms } from "../lib/programs/measure/distribution.ts";
import {
  CSV_HEADER,
  csvInterval,
  csvTotal,
  INTERVAL_HEADER,
  intervalLine,
} from "../lib/programs/measure/intervals.ts";
import { packetFormat } from "../lib/programs/measure/packet_lines.ts";
import { jsonLine, REPORTS } from "../lib/programs/measure/reports.ts";
import { summary } from "../lib/programs/measure/summary.ts";
import {
  histogramOf,
  intervalWith,
  NO_DELAYS,
  packetWith,
  resultWith,
} from "./support/measure_results.ts";

const LONG = {
  ...NO_DELAYS,
  count: 9e15,
  ...{ min: -1234.5678, mean: 12_345.678, p50: 123_456.7, p90: 1e6, p99: 9e7 },
  ...{ p999: 1e9, p9999: 2e9, max: 2 ** 31 },
};

function fitsScreen(lines: readonly string[]): void {
  assert(lines.length < 24, `${lines.length} lines`);
  for (const line of lines) {
    assert(line.length < 80, `${line.length}: ${line}`);
    assertMatch(line, /^[ -~]*$/);
  }
}

Deno.test("a summary fits a screen of 24 lines and 80 columns, whatever was measured", () => {
  const delays = histogramOf(Array.from({ length: 5000 }, (_, n) => n ** 2));
  const oneWayMs = {
    clockDifference: -12_345.678,
    clockError: 0.001,
    out: LONG,
    back: NO_DELAYS,
  };
  const invalid = [
    "One question in a hundred left 1.22 ms late or more; at most 1 ms are tolerated",
    "No question was answered",
  ];
  for (
    const result of [
      resultWith(),
      resultWith({ received: 0, rttMs: NO_DELAYS, reflector: "stateless" }),
      resultWith({ oneWayMs, valid: false, invalid, sizes: [44, 1472, 548] }),
      resultWith({ sent: 1e8, rttMs: { ...LONG, min: 1 } }),
    ]
  ) {
    fitsScreen(summary(result, delays));
    fitsScreen(summary(result, histogramOf([])));
    fitsScreen(summary(result, histogramOf([1])));
  }
});

Deno.test("a summary says where every unanswered datagram is, and it adds up", () => {
  const lines = summary(resultWith(), histogramOf([1]));
  const at = lines.findIndex((line) => line.startsWith("lost "));
  const labels = lines[at]!.trim().split(/\s{2,}/);
  const numbers = lines[at + 1]!.trim().split(/\s+/).map(Number);
  assertEquals(labels, [
    ...["lost", "sending", "there", "reflector", "back", "receiving"],
    ...["too late", "unknown", "total"],
  ]);
  assertEquals(numbers, [1, 80, 2, 84, 1, 3, 0, 171]);
  const total = numbers.pop();
  assertEquals(numbers.reduce((sum, n) => sum + n), total);
});

Deno.test("a summary marks one-way delays as estimated, and an invalid run", () => {
  const { rttMs } = resultWith();
  const text = summary(
    resultWith({
      valid: false,
      invalid: ["It was late"],
      oneWayMs: { clockDifference: 1, clockError: 2, out: rttMs, back: rttMs },
    }),
    histogramOf([1]),
  ).join("\n");
  assertMatch(text, /^there \* /m);
  assertMatch(
    text,
    /^\* estimated: the reflector's clock is 1\.000 ms ahead, \+- 2\.000 ms$/m,
  );
  assertMatch(text, /^INVALID: It was late$/m);
});

Deno.test("control characters of an address never reach the terminal", () => {
  const to = "udp://x\x1b[2J:1";
  const lines = summary(resultWith({ to }), histogramOf([1]));
  assertMatch(lines[0]!, /^udp:\/\/x\\x1b\[2J:1, /);
  assertEquals(jsonLine({ to: "\u009b" }), '{"to":"\\u009b"}');
});

Deno.test("bars have all values once, in order, and touch", () => {
  for (
    const values of [
      [5],
      [0, 0, 0],
      [1, 2, 3],
      [0, 1e6],
      [0.001, 1e6],
      Array.from({ length: 1000 }, (_, n) => 20 + Math.sin(n) ** 9),
    ]
  ) {
    for (const most of [1, 3, 8, 60]) {
      const bars = barsOf(histogramOf(values), most);
      assert(bars.length <= most);
      assertEquals(
        bars.reduce((sum, { count }) => sum + count, 0),
        values.length,
      );
      assertEquals(bars[0]!.fromMs, Math.min(...values));
      assertEquals(bars.at(-1)!.toMs, Math.max(...values));
      for (let n = 1; n < bars.length; n++) {
        assertEquals(bars[n]!.fromMs, bars[n - 1]!.toMs);
      }
      for (const line of drawBars(bars, 79)) assert(line.length <= 79, line);
    }
  }
  assertEquals(barsOf(histogramOf([]), 8), []);
});

Deno.test("milliseconds take at most seven characters", () => {
  const all = [0, 0.0005, 999.9996, 9999.995, 99_999.96, 1e8 - 1, -99.9999];
  assertEquals(all.map(ms), [
    ...["0.000", "0.001", "1000.00", "10000.0", "100000", "1e+8"],
    "-100.00",
  ]);
});

Deno.test("a line of an interval stands below its header, in 80 columns", () => {
  const line = intervalLine(intervalWith());
  assertEquals(line.length, INTERVAL_HEADER.length);
  assert(line.length <= 80);
  assertEquals(line.trim().split(/\s+/), [
    ...["2.0", "s", "200", "190", "4", "20.914", "21.810", "21.828", "3", "1"],
  ]);
  const none = intervalLine(intervalWith({ rttMs: NO_DELAYS }));
  assertEquals(none.trim().split(/\s+/).slice(5, 8), ["-", "-", "-"]);
});

Deno.test("CSV has a cell for each column, and the total last", () => {
  const columns = CSV_HEADER.split(",");
  const read = (line: string) =>
    Object.fromEntries(line.split(",").map((cell, n) => [columns[n], cell]));
  const interval = read(csvInterval(intervalWith()));
  const total = read(csvTotal(resultWith()));
  assertEquals(Object.keys(interval), columns);
  assertEquals(Object.keys(total), columns);
  assertEquals(interval["duration_ms"], "1000.25");
  assertEquals([interval["what"], total["what"]], ["interval", "total"]);
  assertEquals([total["lost"], total["lost_own_receive"]], ["171", "1"]);
  assertEquals([interval["lost"], total["valid"]], ["", "true"]);
  const none = read(csvInterval(intervalWith({ rttMs: NO_DELAYS })));
  assertEquals(none["rtt_p50_ms"], "");
});

Deno.test("JSON is one object per line, the last with the version", () => {
  const { json } = REPORTS;
  const lines = [
    ...json.header(true),
    ...json.interval(intervalWith()),
    ...json.result(resultWith({ rate: 0.1 + 0.2 }), histogramOf([1])),
  ];
  const [interval, result] = lines.map((line) => JSON.parse(line));
  assertEquals(lines.length, 2);
  assertEquals(interval.version, undefined);
  assertEquals(interval, intervalWith());
  assertEquals(result, resultWith({ rate: 0.3 }));
});

Deno.test("packets are CSV with a header, or lines of JSON by the file's name", () => {
  const csv = packetFormat("a.csv");
  assertEquals(
    csv.header,
    "number,size,planned_ms,sent_ms,received_ms,reflector_ms,duplicates,fate",
  );
  assertEquals(csv.line(packetWith()), "0,44,0,0.125,20.5,0.0625,0,answered");
  const lost = packetWith({
    sentMs: undefined,
    receivedMs: undefined,
    reflectorMs: undefined,
    fate: "not sent",
  });
  assertEquals(csv.line(lost), "0,44,0,,,,0,not sent");
  for (const name of ["a.jsonl", "b.JSON", "c.ndjson"]) {
    const { header, line } = packetFormat(name);
    assertEquals(header, undefined);
    assertEquals(JSON.parse(line(packetWith())), packetWith());
    assertEquals(line(lost).includes("receivedMs"), false);
  }
});
