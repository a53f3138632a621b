import type { KitName } from "./kits.ts";

/** One side of a measurement: what a kit's program does. */
export interface Peer {
  kit: KitName;
  /** The first argument of its program. */
  role: string;
  label: string;
}

/** What sends. */
export const SENDERS = {
  raw: peer("raw", "send", "Deno.DatagramConn, send"),
  pli: peer("pli", "send", "Pli, send"),
  offload: peer("offload", "send", "Pli over offload, sendMany"),
  node: peer("node", "send", "node:dgram on Node"),
  "node-on-deno": peer("node-on-deno", "send", "node:dgram on Deno"),
  bun: peer("bun", "send", "Bun, sendMany"),
  c: peer("c", "send", "C, sendto"),
  mmsg: peer("mmsg", "send", "C, sendmmsg"),
  gso: peer("gso", "send", "C, GSO"),
};

/** What receives, counts the datagrams and their bytes, and no more. */
export const RECEIVERS = {
  raw: peer("raw", "receive", "Deno.DatagramConn, one buffer"),
  iterated: peer("raw", "iterate", "Deno.DatagramConn, for await"),
  pli: peer("pli", "receive", "Pli, for await"),
  offload: peer("offload", "receive", "Pli over offload, for await"),
  batches: peer("offload", "batches", "Pli over offload, batches"),
  "batches-read": peer(
    "offload",
    "read",
    "Pli over offload, batches, reading a byte",
  ),
  reused: peer("offload", "reuse", "Pli over offload, batches, reuse"),
  "reused-read": peer(
    "offload",
    "reuse-read",
    "Pli over offload, batches, reuse, reading a byte",
  ),
  node: peer("node", "receive", "node:dgram on Node"),
  "node-on-deno": peer("node-on-deno", "receive", "node:dgram on Deno"),
  bun: peer("bun", "receive", "Bun"),
  c: peer("c", "receive", "C, recvfrom"),
  mmsg: peer("mmsg", "receive", "C, recvmmsg"),
  gro: peer("gso", "receive", "C, GRO"),
  "gro-read": peer("gso", "read", "C, GRO, reading a byte"),
};

/** Who sends to whom, where both are of a kind. */
export const PAIRS: readonly [
  sender: keyof typeof SENDERS,
  receiver: keyof typeof RECEIVERS,
][] = [
  ["raw", "raw"],
  ["raw", "iterated"],
  ["pli", "pli"],
  ["offload", "offload"],
  ["offload", "batches"],
  ["offload", "batches-read"],
  ["offload", "reused"],
  ["offload", "reused-read"],
  ["node", "node"],
  ["node-on-deno", "node-on-deno"],
  ["bun", "bun"],
  ["c", "c"],
  ["mmsg", "mmsg"],
  ["gso", "gro"],
  ["gso", "gro-read"],
];

/** Who sends a datagram and waits for its echo, and who starts. */
export const KINDS = {
  raw: "Deno.DatagramConn",
  pli: "Pli",
  offload: "Pli over offload",
  node: "node:dgram on Node",
  "node-on-deno": "node:dgram on Deno",
  bun: "Bun",
  c: "C",
} satisfies Partial<Record<KitName, string>>;

/** What carries messages from a socket of ours to its like. */
export const CARRIERS = {
  udp: "UDP",
  quic: "QUIC",
  "quic-reliable": "QUIC, reliable",
  tcp: "TCP, length",
  "tcp-line": "TCP, line",
  tls: "TLS, length",
} satisfies Partial<Record<KitName, string>>;

function peer(kit: KitName, role: string, label: string): Peer {
  return { kit, role, label };
}
