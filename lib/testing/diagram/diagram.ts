import { requireOptions, wholeNumber } from "../../check.ts";
import { escapeControls } from "../../escape.ts";
import type { Event, Note } from "../ledger.ts";
import type { DiagramOptions } from "../network_options.ts";
import { drawArrow } from "./arrow.ts";
import { type Columns, columnsOf } from "./columns.ts";
import { labelOf, msOf, noteOf, textOf } from "./label.ts";
import { type Row, rowsOf } from "./rows.ts";

const ACTION = "draw a diagram";
const DEFAULTS = { width: 80, rows: 60 };
const TIME_WIDTH = 8;
// For notes, right of the last line.
const NOTE_WIDTH = 20;
const SPACE = "  ";

/** Draws what happened on a network; see `SimulatedNetwork.diagram`. */
export function drawDiagram(
  events: readonly Event[],
  notes: readonly Note[],
  options: DiagramOptions,
): string {
  requireOptions(ACTION, options);
  const { width = DEFAULTS.width, rows: most = DEFAULTS.rows } = options;
  wholeNumber(ACTION, "width", width, 40);
  wholeNumber(ACTION, "rows", most, 2);
  const rows = rowsOf(events, notes);
  const hidden = rows.length - most;
  const shown = hidden > 0
    ? [...rows.slice(0, Math.ceil(most / 2)), ...rows.slice(-(most >> 1))]
    : rows;
  const eventsShown = shown.flatMap((row) => "event" in row ? [row.event] : []);
  const room = width - TIME_WIDTH - SPACE.length - NOTE_WIDTH;
  const columns = columnsOf(eventsShown, room);
  const lines = shown.map((row) => drawRow(row, columns, width));
  if (hidden > 0) {
    const gap = `${" ".repeat(TIME_WIDTH)}${SPACE}… ${hidden} more …`;
    lines.splice(Math.ceil(most / 2), 0, gap);
  }
  const legend = columns.legend.map((line) => `${SPACE}${line}`);
  return [...headOf(columns), ...lines, ...legend]
    .map((line) => `${escapeControls(line).trimEnd().slice(0, width)}\n`)
    .join("");
}

/** The line of names above the columns. */
function headOf({ names, gap }: Columns): string[] {
  if (gap === 0) return [];
  const padded = names.map((name) => name.padEnd(gap)).join("");
  return [`${"ms".padStart(TIME_WIDTH)}${SPACE}${padded}`];
}

function drawRow(row: Row, columns: Columns, width: number): string {
  const time = `${msOf(row.time).padStart(TIME_WIDTH)}${SPACE}`;
  if ("note" in row) return `${time}* ${row.note.split("\n", 1)[0]}`;
  const { event, part, mark } = row;
  const marked = mark === undefined ? "" : `(${mark})`;
  const note = part === "start" ? "" : noteOf(event, part === "both");
  if (columns.gap === 0) {
    const { from, to, data } = event.entry;
    const [a, b] = [from, to].map((address) =>
      columns.names[columns.at(address)]
    );
    const arrow = part === "start" ? "→ …" : "→";
    const label = labelOf(data, width);
    return `${time}${a} ${arrow} ${b}${SPACE}${textOf(marked, label, note)}`;
  }
  const { art, isLabeled } = drawArrow(row, columns, marked);
  const label = isLabeled || part === "end"
    ? ""
    : labelOf(event.entry.data, NOTE_WIDTH);
  return `${time}${art}${SPACE}${textOf(label, note)}`;
}
