/** What a measurement should find, from the trace of a simulated network. */
import type { TraceEntry } from "../../lib/testing/mod.ts";
import {
  asksForCounts,
  decodeAnswer,
  decodeQuestion,
} from "../../lib/measure/stamp.ts";

/** RFC 4737 by its words: each number of a sequence against all before it. */
export function reorderingOf(arrivals: readonly number[]) {
  const distinct = [...new Set(arrivals)];
  const extents = distinct.flatMap((number, i) => {
    const earliest = distinct.findIndex((other) => other > number);
    return earliest >= 0 && earliest < i ? [i - earliest] : [];
  });
  return {
    count: extents.length,
    ratio: distinct.length === 0 ? 0 : extents.length / distinct.length,
    maxExtent: Math.max(0, ...extents),
    meanExtent: extents.length === 0
      ? 0
      : extents.reduce((sum, extent) => sum + extent, 0) / extents.length,
  };
}

/** What happened to the questions that were sent to a reflector. */
export function truthOf(trace: readonly TraceEntry[], reflector: string) {
  const delivered = trace.filter(({ fate }) => fate === "delivered");
  const ups = delivered
    .filter(({ to, data }) => to === reflector && !asksForCounts(data))
    .map(({ data }) => decodeQuestion(data)!.number);
  const downs = delivered
    .filter(({ from, data }) => from === reflector && !asksForCounts(data))
    .map(({ data }) => decodeAnswer(data)!);
  const numbers = downs.map(({ number }) => number);
  const reached = new Set(ups);
  const answered = new Set(downs.map(({ question }) => question.number));
  return {
    reached: reached.size,
    received: answered.size,
    duplicates: {
      out: ups.length - reached.size,
      back: numbers.length - new Set(numbers).size,
    },
    reordering: { out: reorderingOf(ups), back: reorderingOf(numbers) },
  };
}
