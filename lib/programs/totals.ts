import type { SocketStats } from "../base_socket.ts";

const REASONS: Record<string, string> = {
  stranger: "from strangers",
  queueFull: "for want of room",
  closed: "unread at the end",
};

/** "3 messages", "1 byte". */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

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
  { sent, sentBytes, sendFailed }: SocketStats,
): string {
  const failed = sendFailed > 0 ? `, ${sendFailed} not sent` : "";
  return `sent ${count(sent, "message")} (${
    count(sentBytes, "byte")
  })${failed}`;
}
