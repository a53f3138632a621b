/** NATS sinks, and how to write to them. */
import {
  nats,
  type NatsOptions,
  type NatsSink,
  type NatsStats,
} from "../../../lib/sinks/nats.ts";
import { messages } from "./logs.ts";
import type { Stored } from "./brokers.ts";

/** Opens a sink whose lines are collected instead of printed. */
export function open(url: string, options: NatsOptions = {}) {
  const lines: string[] = [];
  const onTrouble = (line: string) => void lines.push(line);
  const sink = nats(url, { flushTimeoutMs: 30_000, onTrouble, ...options });
  return { sink, lines, [Symbol.asyncDispose]: () => sink.close() };
}

export function texts(stored: Stored[]): string[] {
  return stored.map(({ data }) => new TextDecoder().decode(data));
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Writes messages in batches, as a collector does. */
export function write(sink: NatsSink, from: number, to: number): void {
  for (let id = from; id <= to; id += 100) {
    sink.write(messages(id, Math.min(id + 99, to)));
  }
}

/** Returns the stats of a sink that counted only these messages. */
export function counted(stats: Partial<NatsStats>): NatsStats {
  const none = { published: 0, duplicates: 0, waiting: 0 };
  return { ...none, overflow: 0, refused: 0, lost: 0, ...stats };
}
