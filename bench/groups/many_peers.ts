import { SIZE } from "../lib/datagrams.ts";
import { column, micros, rate } from "../lib/format.ts";
import type { Case, Group, Target } from "../lib/group.ts";
import type { ImplementationName } from "../lib/implementations.ts";
import { LIMIT } from "../lib/limit.ts";
import { throughput } from "../lib/measure.ts";

// Of 1,000: those of which something arrives even in a short window.
const HOSTS = 500;
const AT_LEAST = 1.3;

type Row = readonly [ImplementationName, role: string, label: string];

// Each tells the hosts apart, and adds up all bytes.
const RECEIVERS: readonly Row[] = [
  ["raw", "receive-many", "Deno.DatagramConn, one buffer"],
  ["pli", "receive-many", "Pli, for await"],
  ["offload", "receive-many", "Pli over offload, for await"],
  ["offload", "batches-many", "Pli over offload, batches"],
  ["offload", "reuse-many", "Pli over offload, batches, reuse"],
  ["bun", "receive-many", "Bun"],
  ["mmsg", "receive-many", "C, recvmmsg"],
];

const SENDERS: readonly Row[] = [
  ["raw", "to-many", "Deno.DatagramConn, send"],
  ["pli", "to-many", "Pli, sendMany"],
  ["offload", "to-many", "Pli over offload, sendMany"],
  ["bun", "to-many", "Bun, sendMany"],
  ["mmsg", "to-many", "C, sendmmsg"],
];

/**
 * A C program sends from many hosts in turn, with sendmmsg, so that the kernel
 * joins none of its datagrams.
 */
export const fromMany: Group = {
  name: "from-many",
  title: "Receiving from 1,000 peers in turn",
  tables: [{
    rows: "receiver",
    metric: "received",
    columns: [
      column("received/s", "received", rate),
      column("CPU µs each", "receiverMicros", micros),
      column("sent/s", "sent", rate),
      LIMIT,
    ],
  }],
  targets: [
    target(
      "offload, batches / Bun, from 1,000 peers",
      "batches-many",
      "received",
    ),
    target(
      "offload, for await / Bun, from 1,000 peers",
      "receive-many",
      "received",
    ),
  ],
  cases: RECEIVERS.map(([name, role, label]): Case => ({
    ...{ size: SIZE, label, implementation: name, needs: ["mmsg", name] },
    id: idOf(name, role),
    measure: (start, seconds) =>
      throughput(
        ...[start, ["mmsg", "from-many"], [name, role]] as const,
        ...[SIZE, seconds, { sumEach: SIZE, hosts: HOSTS }] as const,
      ),
  })),
};

/** A C program receives what is sent to many hosts in turn, with recvmmsg. */
export const toMany: Group = {
  name: "to-many",
  title: "Sending to 1,000 peers in turn",
  tables: [{
    rows: "sender",
    metric: "sent",
    columns: [
      column("sent/s", "sent", rate),
      column("CPU µs each", "senderMicros", micros),
      column("received/s", "received", rate),
      LIMIT,
    ],
  }],
  targets: [
    target("offload, sendMany / Bun, to 1,000 peers", "to-many", "sent"),
  ],
  cases: SENDERS.map(([name, role, label]): Case => ({
    ...{ size: SIZE, label, implementation: name, needs: [name, "mmsg"] },
    id: idOf(name, role),
    measure: (start, seconds) =>
      throughput(
        ...[start, [name, role], ["mmsg", "receive-many"]] as const,
        ...[SIZE, seconds, { sumEach: SIZE }] as const,
      ),
  })),
};

function idOf(name: ImplementationName, role: string): string {
  return `${name} ${role}, ${SIZE}`;
}

function target(what: string, role: string, metric: string): Target {
  const base = role === "to-many" ? role : "receive-many";
  return {
    ...{ what, metric, atLeast: AT_LEAST },
    subject: idOf("offload", role),
    base: idOf("bun", base),
  };
}
