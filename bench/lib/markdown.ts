import type { Row } from "./cases.ts";
import { limit } from "./limits.ts";
import type { Figures } from "./measure.ts";
import type { Outcome } from "./outcome.ts";
import { aim, ratio, reached, table } from "./report.ts";
import { median, Results } from "./results.ts";
import { severalCores } from "./several_cores.ts";
import { TARGETS } from "./targets.ts";

type Column = [head: string, cell: (medians: Figures, row: Row) => string];

/** A table of the report. */
interface Table {
  group: string;
  title: string;
  /** The head of its first column. */
  about: string;
  /** The figure that is compared. */
  figure: string;
  columns: Column[];
}

// Of other programs, in cores.
const BUSY = 0.2;

const NOT_MEASURED = "not measured";
const LIMIT: Column = ["limited by", limit];
const TRIPS: Column[] = [
  ["p50 µs", ({ p50 }) => p50.toFixed(1)],
  ["p99 µs", ({ p99 }) => p99.toFixed(1)],
  ["p99.9 µs", ({ p999 }) => p999.toFixed(1)],
];
const TABLES: Table[] = [
  {
    group: "pairs",
    title: "From one to its like",
    about: "sender → receiver",
    figure: "received",
    columns: [
      ["received/s", ({ received }) => rate(received)],
      ["sent/s", ({ sent }) => rate(sent)],
      ["CPU µs each, receiver", (each) => micros(each.receiverMicros)],
      ["sender", (each) => micros(each.senderMicros)],
      LIMIT,
    ],
  },
  {
    group: "receive",
    title: "Receiving what a C program sends with GSO",
    about: "receiver",
    figure: "received",
    columns: [
      ["received/s", ({ received }) => rate(received)],
      ["CPU µs each", (each) => micros(each.receiverMicros)],
      ["MB at rest", ({ restBytes }) => megabytes(restBytes)],
      ["MB under flood", ({ floodBytes }) => megabytes(floodBytes)],
      LIMIT,
    ],
  },
  {
    group: "send",
    title: "Sending to a C program that calls recvfrom",
    about: "sender",
    figure: "sent",
    columns: [
      ["sent/s", ({ sent }) => rate(sent)],
      ["CPU µs each", (each) => micros(each.senderMicros)],
      ["received/s", ({ received }) => rate(received)],
      LIMIT,
    ],
  },
  {
    group: "round-trip",
    title: "Round trips, one datagram at a time",
    about: "both ends",
    figure: "p50",
    columns: TRIPS,
  },
  {
    group: "start-up",
    title: "From the command to where it listens",
    about: "program",
    figure: "ms",
    columns: [["ms", ({ ms }) => ms.toFixed(1)]],
  },
  {
    group: "carriers",
    title: "Our sockets over each carrier, messages",
    about: "carrier",
    figure: "received",
    columns: [
      ["received/s", ({ received }) => rate(received)],
      ["sent/s", ({ sent }) => rate(sent)],
      ["arrived of what was sent", ({ arrived }) => percent(arrived)],
    ],
  },
  {
    group: "carriers",
    title: "Our sockets over each carrier, CPU time of a message",
    about: "carrier",
    figure: "bothMicros",
    columns: [
      ["µs, both sides", ({ bothMicros }) => micros(bothMicros)],
      ["receiver", ({ receiverMicros }) => micros(receiverMicros)],
      ["sender", ({ senderMicros }) => micros(senderMicros)],
    ],
  },
  {
    group: "carriers",
    title: "Our sockets over each carrier, round trips",
    about: "carrier",
    figure: "p50",
    columns: TRIPS,
  },
];

/**
 * The report of a run: a table for each group and size, and the targets, where
 * one of them was measured.
 */
export function markdown(outcome: Outcome): string {
  const results = new Results(outcome.figures);
  const sizes = new Set(outcome.rows.map(({ size }) => size));
  const tables = TABLES.flatMap((each) =>
    [...sizes].map((size) => {
      const rows = outcome.rows.filter((row) =>
        row.group === each.group && row.size === size
      );
      return rows.length === 0 ? [] : [section(each, rows, size, results)];
    }).flat()
  );
  return [
    about(outcome),
    ...tables,
    severalCores(outcome.rows, results),
    targets(results),
    missing(outcome),
  ].filter((part) => part !== "").join("\n\n");
}

function about(outcome: Outcome): string {
  const { machine, versions, rounds, seconds, otherCores } = outcome;
  return `${[machine, ...versions].join(" · ")}.
Medians of ${rounds} rounds, ${seconds} s each. Other programs kept ${
    otherCores.toFixed(2)
  } cores busy${
    otherCores > BUSY ? ": too many for these figures to say much" : ""
  }.`;
}

/** The first row is what the others are compared with. */
function section(
  { title, about, figure, columns }: Table,
  rows: Row[],
  size: number | undefined,
  results: Results<string, string>,
): string {
  const lines = rows.map((row) => {
    const medians = Object.fromEntries(
      Object.keys(results.toJSON()[row.id]![0]).map((name) => [
        name,
        median(results.of(row.id, name)),
      ]),
    );
    const [first, ...rest] = columns.map(([, cell]) => cell(medians, row));
    const compared = spread(results.ratios(figure, row.id, rows[0].id));
    return [row.label, first, compared, ...rest];
  });
  const [first, ...rest] = columns.map(([head]) => head);
  const head = [about, first, "ratio to the first (min–max)", ...rest];
  const length = size === undefined ? "" : `, ${size} bytes`;
  return `### ${title}${length}\n\n${table([head, ...lines])}`;
}

function targets(results: Results<string, string>): string {
  const lines = TARGETS.map((target) => {
    const { what, figure, subject, base } = target;
    const ratios = results.ratios(figure, subject, base);
    const outcome = ratios.length === 0
      ? NOT_MEASURED
      : reached(target, median(ratios))
      ? "reached"
      : "missed";
    return [what, aim(target), spread(ratios), outcome];
  });
  if (lines.every(([, , , outcome]) => outcome === NOT_MEASURED)) return "";
  const head = ["100 bytes", "aim", "median (min–max)", "outcome"];
  return `### Targets\n\n${table([head, ...lines])}`;
}

function missing({ missing }: Outcome): string {
  if (missing.length === 0) return "";
  const lines = missing.map(({ what, reason }) => `- ${what}: ${reason}`);
  return `### Missing\n\n${lines.join("\n")}`;
}

function spread(ratios: readonly number[]): string {
  if (ratios.length === 0) return "–";
  const [min, max] = [Math.min(...ratios), Math.max(...ratios)];
  return `${ratio(median(ratios))} (${ratio(min)}–${ratio(max)})`;
}

function rate(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function micros(value: number): string {
  return value.toFixed(value < 1 ? 3 : 2);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
