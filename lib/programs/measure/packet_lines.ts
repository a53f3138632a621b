import type { MeasuredPacket } from "../../measure/result.ts";

/** How a packet is written: one line, without a line break. */
export type PacketLine = (packet: MeasuredPacket) => string;

const COLUMNS = [
  ["number", "number"],
  ["size", "size"],
  ["planned_ms", "plannedMs"],
  ["sent_ms", "sentMs"],
  ["received_ms", "receivedMs"],
  ["reflector_ms", "reflectorMs"],
  ["duplicates", "duplicates"],
  ["fate", "fate"],
] as const satisfies readonly (readonly [string, keyof MeasuredPacket])[];

/** How packets are written to a file of that name: its header, and each line. */
export function packetFormat(
  path: string,
): { header: string | undefined; line: PacketLine } {
  if (/\.(jsonl|ndjson|json)$/i.test(path)) {
    return { header: undefined, line: jsonLine };
  }
  return {
    header: COLUMNS.map(([name]) => name).join(","),
    line: (packet) =>
      COLUMNS.map(([, member]) => cell(packet[member])).join(","),
  };
}

function jsonLine(packet: MeasuredPacket): string {
  return JSON.stringify(
    packet,
    (_, value) => typeof value === "number" ? toNanoseconds(value) : value,
  );
}

function cell(value: string | number | undefined): string {
  return typeof value === "number" ? `${toNanoseconds(value)}` : value ?? "";
}

/** Rounds milliseconds, without the noise of floating point. */
function toNanoseconds(ms: number): number {
  return Number(ms.toFixed(6));
}
