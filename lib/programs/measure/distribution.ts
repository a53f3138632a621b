import type { Histogram } from "../../measure/histogram.ts";

/** So many values between two ends. */
export interface Bar {
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
}

// From this ratio of the largest to the smallest value on, bars grow with them.
const WIDE = 4;

/**
 * Returns the values of a histogram in so many bars, which are equally wide, or if
 * the values differ much, on a logarithmic scale. The bars touch, and the first
 * and the last one have values.
 */
export function barsOf(histogram: Histogram, most: number): Bar[] {
  const { count, min, max } = histogram;
  if (count === 0) return [];
  if (min === max) return [{ fromMs: min, toMs: max, count }];
  const isWide = min > 0 && max / min >= WIDE;
  const edge = (n: number) =>
    isWide ? min * (max / min) ** (n / most) : min + (max - min) * n / most;
  const counts = new Array<number>(most).fill(0);
  let bar = 0;
  for (const { fromMs, toMs, count } of histogram.bars()) {
    const middle = Math.min((fromMs + toMs) / 2, max);
    while (bar < most - 1 && middle >= edge(bar + 1)) bar++;
    counts[bar]! += count;
  }
  return counts.map((count, n) => ({
    fromMs: edge(n),
    toMs: n === most - 1 ? max : edge(n + 1),
    count,
  }));
}

/** Writes bars as lines of text, of at most so many columns. */
export function drawBars(bars: readonly Bar[], columns: number): string[] {
  const highest = Math.max(...bars.map(({ count }) => count));
  const total = bars.reduce((sum, { count }) => sum + count, 0);
  const labels = bars.map(({ fromMs, toMs }) => `${ms(fromMs)} - ${ms(toMs)}`);
  const width = Math.max(...labels.map(({ length }) => length));
  return bars.map(({ count }, n) => {
    const share = `${(count / total * 100).toFixed(1)} %`.padStart(7);
    const head = `  ${labels[n]!.padStart(width)} ${share} `;
    const room = columns - head.length;
    // What is there is seen.
    const length = count === 0
      ? 0
      : Math.max(1, Math.round(count / highest * room));
    return (head + "#".repeat(length)).trimEnd();
  });
}

// As much as a column of a table has room for.
const DIGITS = 7;

/** Writes milliseconds in at most seven characters. */
export function ms(value: number): string {
  for (let decimals = 3; decimals >= 0; decimals--) {
    const text = value.toFixed(decimals);
    if (text.length <= DIGITS) return text;
  }
  return value.toExponential(0);
}
