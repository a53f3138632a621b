import { SIZE } from "../lib/datagrams.ts";
import { column, micros, rate } from "../lib/format.ts";
import type { Case, Group, Target } from "../lib/group.ts";
import type { ImplementationName } from "../lib/implementations.ts";
import { LIMIT } from "../lib/limit.ts";
import { throughput } from "../lib/measure.ts";

type Peer = readonly [ImplementationName, role: string];

const C_SENDER: Peer = ["gso", "send"];
const C_READER: Peer = ["gso", "read"];
const C_CHECKER: Peer = ["gso", "check"];
const SENDER: Peer = ["offload", "send-run"];
const READER: Peer = ["offload", "runs-reuse"];
const COPYING: Peer = ["offload", "runs"];
const CHECKER: Peer = ["offload", "runs-check"];
const BUN: readonly [Peer, Peer] = [["bun", "send"], ["bun", "receive"]];

const ROWS: readonly [Peer, Peer, label: string][] = [
  [...BUN, "Bun, sendMany → Bun"],
  [C_SENDER, C_READER, "C, GSO → C, GRO"],
  [C_SENDER, READER, "C, GSO → runs, reuse"],
  [C_SENDER, COPYING, "C, GSO → runs"],
  [SENDER, C_READER, "sendRun → C, GRO"],
  [SENDER, READER, "sendRun → runs, reuse"],
  [SENDER, COPYING, "sendRun → runs"],
  [C_SENDER, C_CHECKER, "C, GSO → C, GRO, all bytes compared"],
  [SENDER, CHECKER, "sendRun → runs, reuse, all bytes compared"],
];

/** Datagrams in runs. All but Bun read a byte of each, or compare all. */
export const runs: Group = {
  name: "runs",
  title: "sendRun and runs over offload, reading each datagram",
  tables: [{
    rows: "sender → receiver",
    metric: "received",
    columns: [
      column("received/s", "received", rate),
      column("sent/s", "sent", rate),
      column("receiver CPU µs", "receiverMicros", micros),
      column("sender CPU µs", "senderMicros", micros),
      LIMIT,
    ],
  }],
  targets: [
    target("C → runs, reuse / C → C", "received", [C_SENDER, READER], 0.85),
    target("sendRun → C / C → C: sent", "sent", [SENDER, C_READER], 0.85),
    target("sendRun → C / C → C", "received", [SENDER, C_READER], 0.85),
    target("sendRun → runs / C → C", "received", [SENDER, READER], 0.7),
    {
      ...target("sendRun → runs / Bun → Bun", "received", [SENDER, READER], 25),
      base: idOf(...BUN),
    },
  ],
  cases: ROWS.map(([from, to, label]): Case => ({
    ...{ size: SIZE, label, implementation: to[0], needs: [from[0], to[0]] },
    id: idOf(from, to),
    measure: (start, seconds) =>
      throughput(
        ...[start, from, to, SIZE, seconds] as const,
        to[1] === "receive" ? {} : { sumEach: 1 },
      ),
  })),
};

function idOf(from: Peer, to: Peer): string {
  return `${from.join(" ")} > ${to.join(" ")}, ${SIZE}`;
}

function target(
  what: string,
  metric: string,
  pair: readonly [Peer, Peer],
  atLeast: number,
): Target {
  const base = idOf(C_SENDER, C_READER);
  return { what, metric, subject: idOf(...pair), base, atLeast };
}
