import type { MeasureSettings } from "./options.ts";
import type { ClosingAnswer } from "./closing_question.ts";
import type {
  ByDirection,
  Jitter,
  MeasureResult,
  Reordering,
} from "./result.ts";
import type { SequenceCounts } from "./sequence.ts";
import type { Tally } from "./tally.ts";
import { areCounts, type Ends, whereLost } from "./where_lost.ts";

/** What a summary needs besides the counts. */
export interface Outcome {
  readonly to: string;
  readonly settings: MeasureSettings;
  /** How long questions left. */
  readonly durationMs: number;
  readonly closing: ClosingAnswer | undefined;
  readonly ownDrops: number | undefined;
  readonly timeStamps: MeasureResult["timeStamps"];
}

// A run is late if one question in a hundred left later than this: a millisecond,
// or a tenth of the distance between bursts.
const LATE_MS = 1;
const LATE_SHARE = 0.1;
// Or if the rate was lower than planned by more than this.
const SLOW_SHARE = 0.01;

/** Makes the result of a measurement that has ended. */
export function summarize(tally: Tally, outcome: Outcome): MeasureResult {
  const { settings, closing, durationMs } = outcome;
  const reflector = reflectorOf(tally, closing);
  const counts = closing?.answer.counts;
  const ends: Ends = {
    sent: tally.sent,
    received: tally.received,
    late: tally.late,
    notSent: tally.notSent,
    ownDrops: outcome.ownDrops,
    duplicates: tally.duplicates.out,
    counts,
    missingAnswers: reflector === "stateful"
      ? missingAnswers(tally, closing)
      : undefined,
  };
  const trusted = counts !== undefined && areCounts(ends, counts)
    ? counts
    : undefined;
  const reordering = {
    out: reorderingOf(trusted ?? tally.order.counts),
    back: reorderingOf(tally.back.counts),
  };
  const invalid = faultsOf(tally, outcome);
  if (counts !== undefined && trusted === undefined) {
    invalid.push(
      "The reflector's counts do not fit what came back, so they are not used",
    );
  }
  return {
    version: 1,
    valid: invalid.length === 0,
    invalid,
    to: outcome.to,
    reflector,
    rate: settings.rate,
    sizes: [...settings.sizes],
    durationMs,
    sent: tally.sent,
    received: tally.received,
    lost: whereLost(ends),
    duplicates: {
      out: trusted?.duplicates ?? tally.duplicates.out,
      back: tally.duplicates.back,
    },
    unexpected: tally.unexpected,
    reordered: {
      out: reordering.out.count,
      back: reordering.back.count,
    },
    reordering,
    rttMs: tally.rtt.delays(),
    pathMs: tally.path.delays(),
    reflectorMs: tally.reflector.delays(),
    latenessMs: tally.lateness.delays(),
    jitterMs: jitterOf(tally),
    ...(settings.oneWay && tally.received > 0 && { oneWayMs: oneWay(tally) }),
    timeStamps: outcome.timeStamps,
  };
}

function reflectorOf(
  { isStateful }: Tally,
  closing: ClosingAnswer | undefined,
): MeasureResult["reflector"] {
  const answer = closing?.answer;
  if (answer?.counts !== undefined) return "pli";
  const hasOwnNumber = answer !== undefined &&
    answer.number !== answer.question.number;
  return isStateful || hasOwnNumber ? "stateful" : "stateless";
}

/**
 * How many answers of a stateful reflector are missing: its number in the answer
 * to the closing question says how many it sent before. If that question was
 * asked more than once, the other ones may have got numbers too.
 *
 * @returns At least and at most so many.
 */
function missingAnswers(
  { back, firstAnswer }: Tally,
  closing: ClosingAnswer | undefined,
): Ends["missingAnswers"] {
  if (closing === undefined) return undefined;
  const { answer: { number }, tries } = closing;
  const most = number - firstAnswer - back.counts.distinct;
  return [Math.max(0, most - tries), Math.max(0, most)];
}

function reorderingOf(
  { distinct, reordered, maxExtent, sumOfExtents }: Pick<
    SequenceCounts,
    "distinct" | "reordered" | "maxExtent" | "sumOfExtents"
  >,
): Reordering {
  return {
    count: reordered,
    ratio: distinct === 0 ? 0 : reordered / distinct,
    maxExtent,
    meanExtent: reordered === 0 ? 0 : sumOfExtents / reordered,
  };
}

function jitterOf(tally: Tally): ByDirection<Jitter> {
  const { outSpread, backSpread, outIpdv, backJitter, order } = tally;
  return {
    out: {
      rfc3550: order.jitter.value,
      ipdv: outIpdv.delays(),
      pdv: outSpread.delays(outSpread.min),
    },
    back: {
      rfc3550: backJitter.value,
      ipdv: order.ipdv.delays(),
      pdv: backSpread.delays(backSpread.min),
    },
  };
}

function oneWay(
  { clocks, outSpread, backSpread }: Tally,
): NonNullable<MeasureResult["oneWayMs"]> {
  return {
    clockDifference: clocks.ms,
    clockError: clocks.errorMs,
    out: outSpread.delays(clocks.ms),
    back: backSpread.delays(-clocks.ms),
  };
}

/** Why the numbers cannot be trusted, a sentence each. */
function faultsOf(
  tally: Tally,
  { settings: { rate, waitMs }, durationMs }: Outcome,
): string[] {
  const faults: string[] = [];
  const { sent, received, late, notSent, lateness, plan } = tally;
  const limit = Math.max(LATE_MS, LATE_SHARE * plan.stepMs);
  const [p99 = 0] = lateness.percentiles([99]);
  if (p99 > limit) {
    faults.push(
      `One question in a hundred left ${shown(p99)} ms late or more; at most ` +
        `${shown(limit)} ms are tolerated`,
    );
  }
  const actual = durationMs > 0 ? (sent - notSent) / durationMs * 1000 : rate;
  if (actual < rate * (1 - SLOW_SHARE) && sent > 0) {
    faults.push(
      `Questions left at ${shown(actual)} per second instead of ${shown(rate)}`,
    );
  }
  if (tally.overflowed > 0) {
    faults.push(
      `${tally.overflowed} questions were given up before ${waitMs} ms, for ` +
        "the memory",
    );
  }
  if (sent === 0) faults.push("No question was sent");
  if (sent > notSent && received + late === 0) {
    faults.push("No question was answered");
  }
  return faults;
}

/** A number with three digits. */
function shown(number: number): string {
  return `${Number(number.toPrecision(3))}`;
}
