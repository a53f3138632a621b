import { count } from "../count.ts";
import type { SocketStats } from "../socket/stats.ts";
import type { CollectorStats } from "../sink.ts";

const REASONS: Record<string, string> = {
  stranger: "from strangers",
  queueFull: "for want of room",
  closed: "unread at the end",
  denied: "from sources that are not allowed",
  rateLimited: "beyond the rate limit",
  tooManyPeers: "connections, more than there may be",
  idle: "connections that were idle",
  slow: "connections that were too slow",
  unread: "connections whose peer did not read",
  handshake: "connections that came to no handshake",
  notAccepted: "connections that the system could not open",
  incomplete: "with a connection that broke off",
};

const WITHHELD: Record<string, string> = {
  answerRate: "beyond the answer limit",
  amplification: "longer than three times what came",
};

/** What was received and what was not, as one line. */
export function describeReceived(
  { received, bytes, truncated, dropped }: SocketStats,
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

/** "notKept" as "not kept". */
function spaced(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
