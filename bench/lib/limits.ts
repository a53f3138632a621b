import type { Figures } from "./measure.ts";

// Datagrams that were sent and not received, as a share.
const LOST = 0.05;
// Of a core: who uses less has been waiting.
const BUSY = 0.85;

/**
 * What keeps a sender and a receiver from being faster. What is lost is lost in
 * the receiver's buffer: it could not keep up. Where nothing is, the sender is
 * the slower one.
 */
export function limit(figures: Figures): string {
  const { sent, received } = figures;
  const side = received < sent * (1 - LOST) ? "receiver" : "sender";
  const system = Math.round(figures[`${side}System`] * 100);
  const cores = figures[`${side}Cores`];
  return cores >= BUSY
    ? `${side}, ${system} % in the kernel`
    : `${side}, on ${Math.round(cores * 100)} % of a core`;
}
