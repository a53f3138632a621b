import type { Columns } from "./columns.ts";
import { labelOf, textOf } from "./label.ts";
import type { DatagramRow } from "./rows.ts";

// What is lost on its way, or has two rows, has an arrow of that part of the way.
const PART = 0.75;
const LOST_ON_THE_WAY = ["lost", "dropped", "overMtu", "inFlight"];

/**
 * Draws the lines of all sockets, and the arrow of a datagram from one to another.
 *
 * @param marked What marks the two rows of one datagram, or nothing.
 * @returns The row, and whether there was room for a label.
 */
export function drawArrow(
  { event, part }: DatagramRow,
  { names, gap, at }: Columns,
  marked: string,
): { art: string; isLabeled: boolean } {
  const { from, to, data, fate } = event.entry;
  const art: string[] = Array(gap * (names.length - 1) + 1).fill(" ");
  for (let n = 0; n < names.length; n++) art[n * gap] = "│";
  const start = at(from) * gap;
  const step = at(to) * gap > start ? 1 : -1;
  // All places are counted from the sender.
  const way = Math.abs(at(to) * gap - start) - 1;
  const isPart = part === "start" || LOST_ON_THE_WAY.includes(fate);
  const tip = isPart ? Math.ceil(way * PART) : way;
  const tail = part === "end" ? Math.floor(way * (1 - PART)) : 0;
  for (let n = tail + 1; n < tip; n++) art[start + step * n] = "─";
  art[start + step * tip] = part === "start" || fate === "inFlight"
    ? "…"
    : fate !== "delivered"
    ? "✗"
    : step > 0
    ? "→"
    : "←";
  // With a space at each end, and the tip of the arrow.
  const room = tip - tail - 3;
  const text = part === "end"
    ? marked
    : labelOf(data, room - (marked === "" ? 0 : marked.length + 1));
  const label = textOf(part === "start" ? marked : "", text);
  if (label !== "") {
    const middle = tail + 1 + Math.max(0, (room - label.length) >> 1);
    const first = step > 0 ? start + middle : start - middle - label.length - 1;
    for (const [n, char] of [...` ${label} `].entries()) art[first + n] = char;
  }
  return { art: art.join(""), isLabeled: text !== "" };
}
