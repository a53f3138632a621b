import { column, micros, rate } from "../lib/format.ts";
import type { Case, Group, Table } from "../lib/group.ts";
import type { ImplementationName } from "../lib/implementations.ts";
import { throughput } from "../lib/measure.ts";

const SIZE = 100;

// Each carrier beside the runtime's own sockets. Pli's socket of one peer is not
// connected in the kernel, which would drop what strangers send uncounted: what
// it does is `send-to`. A socket that is connected saves the kernel a look-up of
// the route each time.
const PROGRAMS = [
  ["node-on-deno", "node:dgram on Deno", "send-to"],
  ["dgram-on-deno", "Pli over dgram() on Deno", "send"],
  ["facade", "Pli's node:dgram over Deno's UDP", "send-to"],
  ["pli", "Pli over Deno's UDP", "send"],
  ["node-24", "node:dgram on Node", "send-to"],
  ["dgram-on-node", "Pli over dgram() on Node", "send"],
  ["node-on-bun", "node:dgram on Bun", "send-to"],
  ["dgram-on-bun", "Pli over dgram() on Bun", "send"],
  ["bun", "Bun.udpSocket", "send"],
] as const satisfies readonly (readonly [ImplementationName, string, string])[];

/** `dgram()` on each runtime, beside the sockets of the runtime itself. */
export const dgram: Group = {
  name: "dgram",
  title: "Pli over node:dgram, beside bare node:dgram",
  isOnRequest: true,
  tables: [
    table("receiving what C sends with GSO", "received", "receiverMicros"),
    table("sending to C", "sent", "senderMicros"),
    table("the same by connected sockets", "connected", "connectedMicros"),
  ],
  targets: [
    ...targets("Deno", "dgram-on-deno", "node-on-deno"),
    ...targets("Node", "dgram-on-node", "node-24"),
    ...targets("Bun", "dgram-on-bun", "node-on-bun"),
    ...besides("facade", "node-on-deno", "Pli's node:dgram / Deno's own", 1),
    ...besides("facade", "pli", "Pli's node:dgram / Pli's sockets", 0.9),
  ],
  cases: PROGRAMS.map(([implementation, label, role]): Case => ({
    ...{ size: SIZE, label, implementation },
    id: idOf(implementation),
    needs: [implementation, "gso", "c"],
    async measure(start, seconds) {
      const received = await throughput(
        ...[start, ["gso", "send"], [implementation, "receive"]] as const,
        ...[SIZE, seconds] as const,
      );
      const sending = async (role: string) => {
        const { sent, senderMicros } = await throughput(
          ...[start, [implementation, role], ["c", "receive"]] as const,
          ...[SIZE, seconds] as const,
        );
        return [sent!, senderMicros!] as const;
      };
      const own = await sending(role);
      const connected = role === "send" ? own : await sending("send");
      const [sent, senderMicros] = own;
      const [connectedRate, connectedMicros] = connected;
      return {
        ...received,
        ...{ sent, senderMicros },
        ...{ connected: connectedRate, connectedMicros },
      };
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
  return Object.entries({
    received: "received",
    sent: "sent",
    connected: "sent, beside a connected socket",
  }).map(([metric, part]) => ({
    what: `${what}: ${part}`,
    ...{ metric, subject: idOf(subject), base: idOf(base), atLeast },
  }));
}

function idOf(implementation: ImplementationName): string {
  return `dgram, ${implementation}`;
}
