import type { Column, Figures } from "./group.ts";
import { figure } from "./results.ts";

// In datagrams: if more of them are lost, the receiver is the limit.
const LOST = 0.05;
// In cores: a side that used less has been waiting.
const BUSY = 0.85;

/**
 * Names the side that limits a throughput, and how it spent its time. Datagrams
 * are lost in the buffer of a receiver that cannot keep up; if none are, the
 * sender is the slower side.
 */
function limit(figures: Figures): string {
  const arrived = figure(figures, "received") / figure(figures, "sent");
  const side = arrived < 1 - LOST ? "receiver" : "sender";
  const system = Math.round(figure(figures, `${side}System`) * 100);
  const cores = figure(figures, `${side}Cores`);
  return cores >= BUSY
    ? `${side}, ${system} % in the kernel`
    : `${side}, on ${Math.round(cores * 100)} % of a core`;
}

/** The column that names the side that limits a throughput. */
export const LIMIT: Column = ["limited by", limit];
