import { column, micros, rate } from "../lib/format.ts";
import type { Case, Group, Table } from "../lib/group.ts";
import type { ImplementationName } from "../lib/implementations.ts";
import { throughput } from "../lib/measure.ts";

const SIZE = 100;

// Each carrier beside the runtime's own sockets.
const PROGRAMS = [
  ["node-on-deno", "node:dgram on Deno"],
  ["dgram-on-deno", "Pli over dgram() on Deno"],
  ["facade", "Pli's node:dgram over Deno's UDP"],
  ["pli", "Pli over Deno's UDP"],
  ["node-24", "node:dgram on Node"],
  ["dgram-on-node", "Pli over dgram() on Node"],
  ["node-on-bun", "node:dgram on Bun"],
  ["dgram-on-bun", "Pli over dgram() on Bun"],
  ["bun", "Bun.udpSocket"],
] as const satisfies readonly (readonly [ImplementationName, string])[];

/** `dgram()` on each runtime, beside the sockets of the runtime itself. */
export const dgram: Group = {
  name: "dgram",
  title: "Pli over node:dgram, beside bare node:dgram",
  isOnRequest: true,
  tables: [
    table("receiving what C sends with GSO", "received", "receiverMicros"),
    table("sending to C", "sent", "senderMicros"),
  ],
  targets: [
    ...targets("Deno", "dgram-on-deno", "node-on-deno"),
    ...targets("Node", "dgram-on-node", "node-24"),
    ...targets("Bun", "dgram-on-bun", "node-on-bun"),
    ...besides("facade", "node-on-deno", "Pli's node:dgram / Deno's own", 1),
    ...besides("facade", "pli", "Pli's node:dgram / Pli's sockets", 0.9),
  ],
  cases: PROGRAMS.map(([implementation, label]): Case => ({
    ...{ size: SIZE, label, implementation },
    id: idOf(implementation),
    needs: [implementation, "gso", "c"],
    async measure(start, seconds) {
      const received = await throughput(
        ...[start, ["gso", "send"], [implementation, "receive"]] as const,
        ...[SIZE, seconds] as const,
      );
      const { sent, senderMicros } = await throughput(
        ...[start, [implementation, "send"], ["c", "receive"]] as const,
        ...[SIZE, seconds] as const,
      );
      return { ...received, sent: sent!, senderMicros: senderMicros! };
    },
  })),
};

function table(part: string, metric: string, cpu: string): Table {
  return {
    ...{ part, rows: "program", metric },
    columns: [
      column(`${metric}/s`, metric, rate),
      column("CPU µs each", cpu, micros),
    ],
  };
}

function targets(
  runtime: string,
  subject: ImplementationName,
  base: ImplementationName,
) {
  return besides(subject, base, `dgram() / node:dgram on ${runtime}`, 0.9);
}

function besides(
  subject: ImplementationName,
  base: ImplementationName,
  what: string,
  atLeast: number,
) {
  return ["received", "sent"].map((metric) => ({
    what: `${what}: ${metric}`,
    ...{ metric, subject: idOf(subject), base: idOf(base), atLeast },
  }));
}

function idOf(implementation: ImplementationName): string {
  return `dgram, ${implementation}`;
}
