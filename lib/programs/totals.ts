import { count } from "../count.ts";
import { Received, Sent, type SocketStats } from "../socket/stats.ts";

/** The counts of a socket that was not opened. */
export const NO_STATS: SocketStats = {
  ...new Received(),
  ...new Sent(),
  waiting: 0,
  withheld: {},
};

const REASONS: Record<string, string> = {
  stranger: "from other sources than the peer",
  queueFull: "because the queue was full",
  closed: "unread at the end",
  denied: "from sources that are not allowed",
  rateLimited: "beyond the rate limit",
  incomplete: "cut off with their connection",
  lost: "on the way",
  unsent: "unsent when their connection ended",
  unconfirmed: "sent without the peer's confirmation",
  busy: "because too many of their peer were waiting",
  badSender: "from a sender whose name is not UTF-8",
};

const CONNECTIONS: Record<string, string> = {
  tooManyPeers: "because there were too many",
  idle: "as idle",
  slow: "as too slow",
  unread: "because the peer did not read",
  malformed: "because what it sent had no length",
  handshake: "after a failed handshake",
  reset: "by the peer before they were accepted",
  broken: "as broken",
};

const WITHHELD: Record<string, string> = {
  answerRate: "beyond the answer limit",
  amplification: "longer than three times what was received",
  busy: "because the peer did not take those before",
};

/** Describes the received and the dropped messages, in one line. */
export function describeReceived(
  { received, bytes, truncated, dropped, connections = {} }: SocketStats,
): string {
  const parts = [
    `received ${count(received, "message")} (${count(bytes, "byte")})`,
  ];
  if (truncated > 0) parts.push(`${truncated} truncated`);
  parts.push(...describeDropped(dropped));
  for (const [reason, n] of Object.entries(connections)) {
    if (n === 0) continue;
    if (reason === "acceptFailed") {
      parts.push(`${count(n, "attempt")} to accept a connection failed`);
      continue;
    }
    const why = CONNECTIONS[reason] ?? reason;
    parts.push(`${count(n, "connection")} closed ${why}`);
  }
  return parts.join(", ");
}

/** Describes why datagrams were dropped: a part of a line for each reason. */
export function describeDropped(
  dropped: Readonly<Record<string, number>>,
): string[] {
  return Object.entries(dropped).filter(([, n]) => n > 0).map(([reason, n]) =>
    `${n} dropped ${REASONS[reason] ?? reason}`
  );
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
