import { count } from "../count.ts";
import type { ReflectorStats, Refusals } from "../measure.ts";
import { describeDropped } from "./totals.ts";

const REASONS: Record<keyof Refusals, string> = {
  tooShort: "shorter than a question",
  tooLong: "longer than 9,000 bytes",
  port: "from a port that a server may have (see --allow-port)",
  answer: "answers of another reflector",
  sessions: "because there were 1,000 sessions",
  rate: "beyond the rate of their session (see --max-rate, --allow)",
  busy: "because their sender did not take its answers",
  notSent: "whose answer could not be sent",
};

/**
 * Returns the totals as lines for people.
 *
 * @param drops What the system dropped, in words; `undefined` if it has no such
 * count.
 */
export function describeReflector(
  stats: ReflectorStats,
  drops: string | undefined,
): string[] {
  const { received, answered, counted, begun, expired, replaced } = stats;
  const parts = [
    `received ${count(received, "datagram")}`,
    `answered ${answered}`,
  ];
  if (counted > 0) parts.push(`${count(counted, "question")} for counts`);
  const sessions = [count(begun, "session")];
  if (expired > 0) sessions.push(`${expired} expired`);
  if (replaced > 0) sessions.push(`${replaced} replaced by others`);
  if (stats.restarted > 0) sessions.push(`${stats.restarted} began again`);
  const refused = Object.entries(stats.refused)
    .filter(([, n]) => n > 0)
    .map(([reason, n]) => `${n} ${REASONS[reason as keyof Refusals]}`);
  const dropped = describeDropped(stats.dropped);
  if (drops !== undefined) dropped.push(drops);
  return [
    [...parts, ...sessions].join(", "),
    ...refused.length > 0 ? [`not answered: ${refused.join(", ")}`] : [],
    ...dropped.length > 0 ? [dropped.join(", ")] : [],
  ];
}

/** Describes in a few words what a reflector has done so far. */
export function describeReflecting(
  { answered, received, sessions }: ReflectorStats,
): string {
  return `answered ${answered} of ${received}, ${count(sessions, "session")}`;
}

/** Describes what a user should know at once, since it looks like loss. */
export function describeRefusals({ refused }: ReflectorStats): string[] {
  const reasons = ["rate", "sessions", "port", "tooLong"] as const;
  return reasons.filter((reason) => refused[reason] > 0).map((reason) =>
    `not answering some questions: ${REASONS[reason]}`
  );
}
