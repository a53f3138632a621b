/**
 * One path with faults as this library, irtt and iperf3 measure it, each beside
 * what the relay did: the table of docs/measure.md, as Markdown.
 *
 * Usage: `deno run -A bench/paths.ts [SECONDS] [TOOL]...`: 60 seconds for each
 * of `measure`, `irtt` and `iperf3`. Needs the latter two.
 */
import type { MeasureResult } from "../lib/measure.ts";
import {
  byIperf3,
  byIrtt,
  byPli,
  type PathSettings,
  type PathTruth,
} from "../tests/interop/support/path_tools.ts";

const DELAY_MS = 20;
const faults = {
  reorder: 0.02,
  duplicate: 0.2,
  delayMs: { min: DELAY_MS, max: DELAY_MS },
};
const settings: PathSettings = {
  seed: 7,
  up: { ...faults, loss: 0.1 },
  down: { ...faults, loss: 0.05 },
  rate: 200,
  seconds: Number(Deno.args[0] ?? 60),
};
const tools = Deno.args.slice(1);
const isAsked = (tool: string) => tools.length === 0 || tools.includes(tool);

/** A row: what a tool says, and what is true. */
type Row = [name: string, tool: string | number, truth: string | number];

function table(tool: string, rows: readonly Row[]): void {
  console.log(`\n| | ${tool} | the relay |\n|---|---:|---:|`);
  for (const [name, said, truth] of rows) {
    console.log(`| ${name} | ${said} | ${truth} |`);
  }
}

/** What the path did to questions and answers. */
function truthOf({ up, down }: PathTruth) {
  return {
    sent: up.sent,
    lostOut: up.sent - up.reached.length,
    duplicates: up.duplicates + down.duplicates,
  };
}

const ms = (value: number) => `${value.toFixed(2)} ms`;
const percent = (value: number) =>
  value > 1000 ? value.toExponential(1) : value.toFixed(1);

if (isAsked("measure")) {
  const { result, truth } = await byPli(settings);
  const { up, down } = truth;
  const { sent, lostOut } = truthOf(truth);
  table("`measure`", [
    ["sent", result.sent, sent],
    ["lost on the way there", result.lost.out, lostOut],
    [
      "lost on the way back",
      result.lost.back,
      up.reached.length - result.received,
    ],
    ["elsewhere or unknown", elsewhere(result.lost), 0],
    ["doubled on the way there", result.duplicates.out, up.duplicates],
    ["doubled on the way back", result.duplicates.back, down.duplicates],
    [
      "reordered on the way there",
      result.reordering.out.count,
      up.reordering.count,
    ],
    [
      "reordered on the way back",
      result.reordering.back.count,
      down.reordering.count,
    ],
    ["round trip, p50", ms(result.rttMs.p50), ms(2 * DELAY_MS)],
    ["questions left late, p99", ms(result.latenessMs.p99), ""],
  ]);
  for (const sentence of result.invalid) console.log(`\ninvalid: ${sentence}`);
  console.log(
    `\nheld by the relay, p50: ${ms(up.heldMs.p50)}, ${ms(down.heldMs.p50)}`,
  );
}
if (isAsked("irtt")) {
  const { result: { stats }, truth } = await byIrtt(settings);
  const { up, down } = truth;
  table("irtt", [
    ["sent", stats.packets_sent, up.sent],
    [
      "lost on the way there",
      `${percent(stats.upstream_loss_percent)} %`,
      `${percent(100 * (1 - up.reached.length / up.sent))} %`,
    ],
    [
      "lost on the way back",
      `${percent(stats.downstream_loss_percent)} %`,
      `${percent(100 * (1 - down.reached.length / down.sent))} %`,
    ],
    ["duplicates", stats.duplicates, up.duplicates + down.duplicates],
    [
      "reordered",
      `${stats.late_packets}`,
      `${up.reordering.count} + ${down.reordering.count}`,
    ],
    ["round trip, p50", ms(stats.rtt.median / 1e6), ms(2 * DELAY_MS)],
  ]);
}
if (isAsked("iperf3")) {
  const { result: { end }, truth } = await byIperf3(settings);
  const { sent, lostOut } = truthOf(truth);
  const { up } = truth;
  table("`iperf3 -u`", [
    ["sent", end.sum.packets, sent],
    ["lost on the way there", end.sum.lost_packets, lostOut],
    ["doubled on the way there", "not reported", up.duplicates],
    [
      "reordered on the way there",
      end.streams[0]!.udp.out_of_order,
      up.reordering.count,
    ],
  ]);
}

function elsewhere(lost: MeasureResult["lost"]): number {
  return Object.entries(lost)
    .filter(([name]) => name !== "out" && name !== "back")
    .reduce((sum, [, count]) => sum + count, 0);
}
