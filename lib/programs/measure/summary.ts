import { count } from "../../count.ts";
import { escapeControls } from "../../escape.ts";
import type { Histogram } from "../../measure/histogram.ts";
import type { Delays, MeasureResult } from "../../measure/result.ts";
import { barsOf, drawBars, ms } from "./distribution.ts";

// A terminal of 24 lines has room for the next prompt too.
const LINES = 23;
const COLUMNS = 80;
const FEWEST_BARS = 3;
const MOST_BARS = 8;

const DELAY_COLUMNS = [
  ["min", "min"],
  ["mean", "mean"],
  ["p50", "p50"],
  ["p90", "p90"],
  ["p99", "p99"],
  ["p99.9", "p999"],
  ["p99.99", "p9999"],
  ["max", "max"],
] as const satisfies readonly (readonly [string, keyof Delays])[];

/**
 * Returns a result as lines for a terminal of 24 lines and 80 columns.
 *
 * @param delays The round trips, for the histogram.
 */
export function summary(result: MeasureResult, delays: Histogram): string[] {
  const lines = [
    ...head(result),
    ...delayTable(result),
    ...lossTable(result),
    ...directionTable(result),
  ];
  const end = verdict(result);
  const room = LINES - lines.length - end.length - 1;
  const bars = barsOf(delays, Math.min(Math.max(room, FEWEST_BARS), MOST_BARS));
  const drawn = bars.length === 0
    ? []
    : ["round trip, ms", ...drawBars(bars, COLUMNS - 1)];
  return [...lines, ...drawn, ...end];
}

function head(result: MeasureResult): string[] {
  const { to, sent, received, sizes, durationMs, rate, unexpected } = result;
  const lengths = [...new Set(sizes)].sort((a, b) => a - b);
  const size = lengths.length > 1
    ? `${lengths[0]} to ${lengths.at(-1)} bytes`
    : count(lengths[0] ?? 0, "byte");
  const lost = sent - received;
  const counts = [
    `sent ${count(sent, "datagram")}`,
    `${received} answered`,
    `${lost} lost (${percent(lost, sent)})`,
  ];
  if (unexpected > 0) counts.push(`${unexpected} unexpected`);
  const traffic = `${size}, planned ${number(rate)}/s, ${
    seconds(durationMs)
  } s`;
  return [...wrapped(`${to}, ${traffic}`), ...wrapped(counts.join(", "))];
}

function delayTable(result: MeasureResult): string[] {
  const { rttMs, pathMs, reflectorMs, latenessMs, oneWayMs } = result;
  const rows: [string, Delays][] = [
    ["round trip", rttMs],
    ["path alone", pathMs],
    ["reflector", reflectorMs],
  ];
  if (oneWayMs !== undefined) {
    rows.push(["there *", oneWayMs.out], ["back *", oneWayMs.back]);
  }
  rows.push(["sent too late", latenessMs]);
  const lines = [
    table("delay, ms", DELAY_COLUMNS.map(([label]) => label)),
    ...rows.map(([label, delays]) =>
      table(
        label,
        DELAY_COLUMNS.map(([, member]) =>
          delays.count === 0 ? "-" : ms(delays[member])
        ),
      )
    ),
  ];
  if (oneWayMs === undefined) return lines;
  const { clockDifference, clockError } = oneWayMs;
  return [
    ...lines,
    `* estimated: the reflector's clock is ${
      ms(clockDifference)
    } ms ahead, +- ${ms(clockError)} ms`,
  ];
}

/** Where the unanswered ones are; it adds up. */
function lossTable({ sent, received, lost }: MeasureResult): string[] {
  const columns: [string, number][] = [
    ["sending", lost.ownSend],
    ["there", lost.out],
    ["reflector", lost.reflector],
    ["back", lost.back],
    ["receiving", lost.ownReceive],
    ["too late", lost.late],
    ["unknown", lost.unknown],
    ["total", sent - received],
  ];
  const cell = (text: string, label: string) =>
    text.padStart(Math.max(label.length + 2, 8));
  return [
    "lost".padEnd(5) + columns.map(([label]) => cell(label, label)).join(""),
    "     " + columns.map(([label, n]) => cell(`${n}`, label)).join(""),
  ];
}

function directionTable(
  { reordering, duplicates, jitterMs }: MeasureResult,
): string[] {
  const columns = [
    ...["reordered", "extent", "twice", "jitter", "IPDV p50", "p99", "PDV p99"],
  ];
  const ways = [["there", "out"], ["back", "back"]] as const;
  return [
    table("each way, ms", columns),
    ...ways.map(([label, way]) => {
      const { count, maxExtent } = reordering[way];
      const { rfc3550, ipdv, pdv } = jitterMs[way];
      return table(label, [
        `${count}`,
        `${maxExtent}`,
        `${duplicates[way]}`,
        ms(rfc3550),
        ms(ipdv.p50),
        ms(ipdv.p99),
        ms(pdv.p99),
      ]);
    }),
  ];
}

function verdict(
  { valid, invalid, reflector, timeStamps }: MeasureResult,
): string[] {
  if (!valid) return invalid.flatMap((why) => wrapped(`INVALID: ${why}`));
  const who = reflector === "pli" ? "" : `, a ${reflector} reflector`;
  const how = timeStamps === "system" ? "by the system" : "by the program";
  return [`valid: datagrams left in time; times ${how}${who}`];
}

/** Breaks a text between words. */
function wrapped(text: string): string[] {
  const lines = [""];
  for (const word of escapeControls(text).split(" ")) {
    const line = lines.at(-1)!;
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length < COLUMNS) {
      lines[lines.length - 1] += ` ${word}`;
    } else lines.push(`  ${word}`);
  }
  return lines;
}

function table(label: string, cells: readonly string[]): string {
  // Eight columns of delays, or seven of what each way has.
  const width = cells.length > 7 ? 8 : 9;
  return label.padEnd(15) + cells.map((cell) => cell.padStart(width)).join("");
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

function number(value: number): string {
  return `${Number(value.toPrecision(6))}`;
}

/** Writes a part as a percentage. */
export function percent(part: number, whole: number): string {
  return whole === 0 ? "0 %" : `${(part / whole * 100).toFixed(2)} %`;
}
