import { count } from "../count.ts";
import type { SocketStats } from "../socket/stats.ts";
import type { CollectorStats } from "../sink.ts";

const REASONS: Record<string, string> = {
  stranger: "from strangers",
  queueFull: "for want of room",
  closed: "unread at the end",
  denied: "from sources that are not allowed",
  rateLimited: "beyond the rate limit",
  incomplete: "cut off with their connection",
};

const CONNECTIONS: Record<string, string> = {
  tooManyPeers: "because there were too many",
  idle: "as idle",
  slow: "as too slow",
  unread: "because the peer did not read",
  handshake: "after a failed handshake",
  acceptFailed: "because the system could not accept them",
};

const WITHHELD: Record<string, string> = {
  answerRate: "beyond the answer limit",
  amplification: "longer than three times what came",
};

/** What was received and what was not, as one line. */
export function describeReceived(
  { received, bytes, truncated, dropped, connections = {} }: SocketStats,
  kernelDrops?: number,
): string {
  const parts = [
    `received ${count(received, "message")} (${count(bytes, "byte")})`,
  ];
  if (truncated > 0) parts.push(`${truncated} truncated`);
  for (const [reason, n] of Object.entries(dropped)) {
    if (n > 0) parts.push(`${n} dropped ${REASONS[reason] ?? reason}`);
  }
  if (kernelDrops !== undefined) {
    parts.push(`${kernelDrops} dropped by the system`);
  }
  for (const [reason, n] of Object.entries(connections)) {
    if (n === 0) continue;
    const why = CONNECTIONS[reason] ?? reason;
    parts.push(`${count(n, "connection")} closed ${why}`);
  }
  return parts.join(", ");
}

/** What was sent and what was not, as one line. */
export function describeSent(
  { sent, sentBytes, sendFailed, withheld }: SocketStats,
): string {
  const parts = [
    `sent ${count(sent, "message")} (${count(sentBytes, "byte")})`,
  ];
  if (sendFailed > 0) parts.push(`${sendFailed} not sent`);
  for (const [reason, n] of Object.entries(withheld)) {
    if (n > 0) parts.push(`${n} withheld ${WITHHELD[reason] ?? reason}`);
  }
  return parts.join(", ");
}

/** That answers are withheld, and why: a line for each reason. */
export function describeWithheld({ withheld }: SocketStats): string[] {
  return Object.entries(withheld).filter(([, n]) => n > 0).map(([reason]) =>
    reason === "answerRate"
      ? "answers are withheld: a peer gets no more at once (see --answer-limit)"
      : "answers are withheld: beyond loopback none gets more than three times what it sent"
  );
}

/** All that a collector counted, as lines. */
export function describe(stats: CollectorStats, answers: boolean): string[] {
  const { output: _, ...sinks } = stats.sinks;
  return [
    describeReceived(stats, stats.kernelDrops),
    ...answers ? [describeSent(stats)] : [],
    ...Object.entries(sinks).map(([name, counts]) => {
      const parts = Object.entries(counts).map(([what, n]) =>
        `${n} ${spaced(what)}`
      );
      return `${name}: ${parts.join(", ")}`;
    }),
  ];
}

/** "notStored" as "not stored". */
function spaced(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
