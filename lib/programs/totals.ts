import { count } from "../count.ts";
import type { CollectorStats } from "../sink.ts";
import type { SocketStats } from "../socket/base_socket.ts";
import type { ServerSettings } from "./server_options.ts";
import { describeSystemDrops } from "./system_drops.ts";

const REASONS: Record<string, string> = {
  stranger: "from other sources than the peer",
  queueFull: "because the queue was full",
  closed: "unread at the end",
  denied: "from sources that are not allowed",
  rateLimited: "beyond the rate limit",
  tooManyPeers: "connections beyond the limit",
  idle: "idle connections",
  slow: "connections that were too slow",
  unread: "connections whose peer did not read",
  handshake: "failed handshakes",
  notAccepted: "connections that the system could not open",
  incomplete: "cut off with their connection",
};

const WITHHELD: Record<string, string> = {
  answerRate: "beyond the answer limit",
  amplification: "longer than three times what was received",
};

/** Describes the received and the dropped messages, in one line. */
export function describeReceived(
  { received, bytes, truncated, dropped }: SocketStats,
): string {
  const parts = [
    `received ${count(received, "message")} (${count(bytes, "byte")})`,
  ];
  if (truncated > 0) parts.push(`${truncated} truncated`);
  for (const [reason, n] of Object.entries(dropped)) {
    if (n > 0) parts.push(`${n} dropped ${REASONS[reason] ?? reason}`);
  }
  return parts.join(", ");
}

/** Describes the sent and the withheld messages, in one line. */
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

/** Describes why replies are withheld: a line for each reason. */
export function describeWithheld({ withheld }: SocketStats): string[] {
  return Object.entries(withheld).filter(([, n]) => n > 0).map(([reason]) =>
    reason === "answerRate"
      ? "withholding replies: peers have reached their limit (see --answer-limit)"
      : "withholding replies: a peer beyond loopback gets at most three times the bytes it sent"
  );
}

/** Returns the counts of a collector as lines, in the server's format. */
export function collectorTotals(
  stats: CollectorStats,
  { format, carrier, answer, store }: ServerSettings,
): string[] {
  // The system drops datagrams; connections wait instead.
  const isCounted = carrier.scheme === "udp";
  const { kernelDrops } = stats;
  if (format === "json") {
    const known = isCounted ? { kernelDrops: kernelDrops ?? null } : {};
    return [JSON.stringify({ ...stats, ...known })];
  }
  const received = describeReceived(stats);
  const { output: _, ...sinks } = stats.sinks;
  return [
    isCounted ? `${received}, ${describeSystemDrops(kernelDrops)}` : received,
    ...answer || store?.receipt ? [describeSent(stats)] : [],
    ...Object.entries(sinks).map(([name, counts]) => {
      const parts = Object.entries(counts).map(([what, n]) =>
        `${n} ${spaced(what)}`
      );
      return `${name}: ${parts.join(", ")}`;
    }),
  ];
}

/** Turns "notKept" into "not kept". */
function spaced(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
