import { column, megabytes, micros, rate } from "../lib/format.ts";
import { LIMIT } from "../lib/limit.ts";
import type { Case, Group, Target } from "../lib/group.ts";
import { throughput } from "../lib/measure.ts";

const SIZES = [100, 1200];
const TARGET_SIZE = 100;

// By implementation.
const SENDERS = {
  raw: "Deno.DatagramConn, send",
  pli: "Pli, send",
  offload: "Pli over offload, sendMany",
  node: "node:dgram on Node",
  "node-on-deno": "node:dgram on Deno",
  bun: "Bun, sendMany",
  c: "C, sendto",
  mmsg: "C, sendmmsg",
  gso: "C, GSO",
};

type Sender = keyof typeof SENDERS;

// Each with its implementation and role. They count the datagrams and their
// bytes, and no more.
const RECEIVERS = {
  raw: ["raw", "receive", "Deno.DatagramConn, one buffer"],
  iterated: ["raw", "iterate", "Deno.DatagramConn, for await"],
  pli: ["pli", "receive", "Pli, for await"],
  offload: ["offload", "receive", "Pli over offload, for await"],
  batches: ["offload", "batches", "Pli over offload, batches"],
  "batches-read": [
    ...["offload", "read"] as const,
    "Pli over offload, batches, reading a byte",
  ],
  reused: ["offload", "reuse", "Pli over offload, batches, reuse"],
  "reused-read": [
    ...["offload", "reuse-read"] as const,
    "Pli over offload, batches, reuse, reading a byte",
  ],
  node: ["node", "receive", "node:dgram on Node"],
  "node-on-deno": ["node-on-deno", "receive", "node:dgram on Deno"],
  bun: ["bun", "receive", "Bun"],
  c: ["c", "receive", "C, recvfrom"],
  mmsg: ["mmsg", "receive", "C, recvmmsg"],
  gro: ["gso", "receive", "C, GRO"],
  "gro-read": ["gso", "read", "C, GRO, reading a byte"],
} satisfies Record<string, readonly [Sender, role: string, label: string]>;

type Receiver = keyof typeof RECEIVERS;

const RECEIVED = column("received/s", "received", rate);
const SENT = column("sent/s", "sent", rate);

/** The same implementation sends and receives. */
export const pairs: Group = {
  name: "pairs",
  title: "Same implementation on both ends",
  tables: [{
    rows: "sender → receiver",
    metric: "received",
    columns: [
      ...[RECEIVED, SENT],
      column("receiver CPU µs", "receiverMicros", micros),
      column("sender CPU µs", "senderMicros", micros),
      LIMIT,
    ],
  }],
  targets: [
    ...batched("batches", "batches", 15),
    ...batched("batches, reuse", "reused", 20),
    target(
      "offload, sendMany → for await / Bun → Bun",
      ...["received", "offload > offload", "bun > bun", 5] as const,
    ),
  ],
  cases: cases(RECEIVERS, (to) => {
    const [from, , label] = RECEIVERS[to];
    return [from, to, from, `${SENDERS[from]} → ${short(label)}`];
  }),
};

/** Every implementation receives what the fastest one sends. */
export const receive: Group = {
  name: "receive",
  title: "Receiving what a C program sends with GSO",
  tables: [{
    rows: "receiver",
    metric: "received",
    columns: [
      RECEIVED,
      column("CPU µs each", "receiverMicros", micros),
      column("MB at rest", "restBytes", megabytes),
      column("MB under flood", "floodBytes", megabytes),
      LIMIT,
    ],
  }],
  targets: [
    target(
      "default, for await / raw loop, one buffer, receive",
      ...["received", "gso > pli", "gso > raw", 0.95] as const,
    ),
  ],
  cases: cases(RECEIVERS, (to) => {
    const [implementation, , label] = RECEIVERS[to];
    return ["gso", to, implementation, label];
  }),
};

/** Every implementation sends to a plain receiver. */
export const send: Group = {
  name: "send",
  title: "Sending to a C program that calls recvfrom",
  tables: [{
    rows: "sender",
    metric: "sent",
    columns: [
      SENT,
      column("CPU µs each", "senderMicros", micros),
      ...[RECEIVED, LIMIT],
    ],
  }],
  targets: [
    // Of what it sends, the receiver limits what arrives.
    ...["sent", "received"].map((metric) =>
      target(
        `offload, sendMany / Bun, sendMany, to C, recvfrom: ${metric}`,
        ...[metric, "offload > c", "bun > c", 3] as const,
      )
    ),
    target("default, send / raw send", "sent", "pli > c", "raw > c", 0.95),
  ],
  cases: cases(SENDERS, (from) => [from, "c", from, SENDERS[from]]),
};

/** Makes the cases of a group: for each size, one for each name. */
function cases<N extends string>(
  names: Record<N, unknown>,
  caseOf: (
    name: N,
  ) => [from: Sender, to: Receiver, about: Sender, label: string],
): Case[] {
  return SIZES.flatMap((size) =>
    (Object.keys(names) as N[]).map((name) => {
      const [from, to, implementation, label] = caseOf(name);
      const [receiver, role] = RECEIVERS[to];
      const expected = role.endsWith("read") ? { sumEach: 1 } : {};
      return {
        ...{ size, label, implementation, needs: [from, receiver] },
        id: `${from} > ${to}, ${size}`,
        measure: (start, seconds) =>
          throughput(
            ...[start, [from, "send"], [receiver, role]] as const,
            ...[size, seconds, expected] as const,
          ),
      };
    })
  );
}

function batched(label: string, to: Receiver, timesBun: number): Target[] {
  return ([
    ["Bun → Bun", "bun > bun", timesBun],
    ["Node → Node", "node > node", 20],
    ["C, GSO → GRO", "gso > gro", 0.45],
  ] as const).map(([name, base, atLeast]) =>
    target(
      `offload, sendMany → ${label} / ${name}`,
      ...["received", `offload > ${to}`, base, atLeast] as const,
    )
  );
}

function target(
  what: string,
  metric: string,
  subject: `${Sender} > ${Receiver}`,
  base: `${Sender} > ${Receiver}`,
  atLeast: number,
): Target {
  const id = (pair: string) => `${pair}, ${TARGET_SIZE}`;
  return { what, metric, subject: id(subject), base: id(base), atLeast };
}

/** A receiver's label beside the one of a sender of the same implementation. */
function short(label: string): string {
  return label.replace(/^(?:Deno\.DatagramConn|Pli over offload|Pli|C), /, "");
}
