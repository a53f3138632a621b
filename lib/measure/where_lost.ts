import type { Lost } from "./result.ts";
import type { SessionCounts } from "./stamp.ts";

/** What the two ends counted. */
export interface Ends {
  /** Questions that were planned. */
  readonly sent: number;
  readonly received: number;
  readonly late: number;
  readonly notSent: number;
  /** What the own system dropped on arrival, as far as it is known. */
  readonly ownDrops: number | undefined;
  /** Doubled questions, as far as their answers show them. */
  readonly duplicates: number;
  /** What the reflector counted, if it says so. */
  readonly counts: SessionCounts | undefined;
  /**
   * For another stateful reflector: how many of its answers are missing, at least
   * and at most.
   */
  readonly missingAnswers: readonly [least: number, most: number] | undefined;
}

/** Whether the counts of a reflector are possible. */
export function areCounts(ends: Ends, counts: SessionCounts): boolean {
  const { sent, received, late, notSent } = ends;
  return counts.distinct <= sent - notSent &&
    counts.distinct >= received + late &&
    counts.received >= counts.distinct + counts.duplicates;
}

/** Returns where the unanswered questions are. The parts add up to all of them. */
export function whereLost(ends: Ends): Lost {
  const { sent, received, late, notSent, counts } = ends;
  const left = sent - received - late - notSent;
  const known = counts !== undefined && areCounts(ends, counts)
    ? byCounts(ends, counts)
    : byAnswers(ends, left);
  const ownReceive = Math.min(ends.ownDrops ?? 0, known.back);
  const { out, reflector, back, unknown } = known;
  return {
    ownSend: notSent,
    ...{ out, reflector },
    back: back - ownReceive,
    ...{ ownReceive, late, unknown },
  };
}

/** Parts of what was lost, own systems apart. */
type Parts = Pick<Lost, "out" | "reflector" | "back" | "unknown">;

function byCounts(ends: Ends, counts: SessionCounts): Parts {
  const missing = ends.sent - ends.notSent - counts.distinct;
  const unanswered = counts.distinct - ends.received - ends.late;
  const dropped = Math.min(missing, counts.dropped ?? 0);
  const limited = Math.min(unanswered, counts.limited);
  // Arrivals of which the reflector cannot say whether they were new.
  const old = counts.received - counts.distinct - counts.duplicates;
  const unknown = Math.min(missing - dropped, old);
  return {
    out: missing - dropped - unknown,
    reflector: dropped + limited,
    back: unanswered - limited,
    unknown,
  };
}

/** From the gaps in the numbers of another stateful reflector. */
function byAnswers({ missingAnswers, duplicates }: Ends, left: number): Parts {
  if (missingAnswers === undefined) {
    return { out: 0, reflector: 0, back: 0, unknown: left };
  }
  const [least, most] = missingAnswers.map((n) => Math.min(n, left)) as [
    number,
    number,
  ];
  // An answer that is missing may be the second one to a doubled question.
  const back = duplicates === 0 ? least : 0;
  return { out: left - most, reflector: 0, back, unknown: most - back };
}
