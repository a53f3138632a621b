/** Sinks that forward, and what their tests write to them. */
import { assertEquals } from "@std/assert";
import { type Addr, Datagram, type DatagramSocket } from "../../mod.ts";
import {
  forward,
  type ForwardOptions,
  type ForwardSink,
  type Message,
} from "../../lib/sinks/forward.ts";
import { bytesOf, net } from "./helpers.ts";

/** A sender that is no destination. */
export const SENDER = net("10.9.8.7", 5000);

/** Returns messages with these texts. */
export function messagesOf(
  texts: readonly string[],
  from: Addr = SENDER,
): Message[] {
  return texts.map((text, i) => ({
    id: i + 1,
    time: new Date(0),
    datagram: new Datagram(bytesOf(text), from, false),
  }));
}

/** Opens a sink whose lines are collected instead of printed. */
export async function openForward(
  to: string | Addr,
  socket: DatagramSocket<Addr>,
  options: Partial<ForwardOptions> = {},
): Promise<{ sink: ForwardSink; lines: string[] }> {
  const lines: string[] = [];
  const onTrouble = (line: string) => void lines.push(line);
  const sink = await forward(to, { socket, onTrouble, ...options });
  return { sink, lines };
}

/** Checks all counts of a sink, those that are not 0. */
export function assertCounts(
  { stats }: ForwardSink,
  wanted: Readonly<Record<string, number>>,
): void {
  const counts = Object.entries(stats).filter(([, n]) => n !== 0);
  assertEquals(Object.fromEntries(counts), wanted);
}
