import type { Histogram } from "../../measure/histogram.ts";

/** So many values between two ends. */
export interface Bar {
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
}

// From this ratio of the largest to the smallest value on, bars grow with them.
const WIDE = 4;
// A bar of its own for the last percent, if it is longer than all others.
const MOST_OF_ALL = 99;

/**
 * Returns the values of a histogram in so many bars, which are equally wide, or if
 * the values differ much, on a logarithmic scale. If the last percent takes more
 * than half of the range, it is the last bar. The bars touch, and the first and the
 * last one have values.
 */
export function barsOf(histogram: Histogram, most: number): Bar[] {
  const { count, min, max } = histogram;
  if (count === 0) return [];
  if (min === max) return [{ fromMs: min, toMs: max, count }];
  const edges = edgesOf(histogram, most);
  const counts = new Array<number>(most).fill(0);
  let bar = 0;
  for (const { fromMs, toMs, count } of histogram.bars()) {
    const middle = Math.min((fromMs + toMs) / 2, max);
    while (bar < most - 1 && middle >= edges[bar + 1]!) bar++;
    counts[bar]! += count;
  }
  return counts.map((count, n) => ({
    fromMs: edges[n]!,
    toMs: edges[n + 1]!,
    count,
  }));
}

/** Returns where bars begin and end: one more than there are bars. */
function edgesOf(histogram: Histogram, most: number): number[] {
  const { min, max } = histogram;
  const [usual = max] = histogram.percentiles([MOST_OF_ALL]);
  const hasTail = most > 2 && usual > min && max - usual > usual - min;
  const [bars, end] = hasTail ? [most - 1, usual] : [most, max];
  const isWide = min > 0 && end / min >= WIDE;
  const edge = (n: number) =>
    isWide ? min * (end / min) ** (n / bars) : min + (end - min) * n / bars;
  const edges = Array.from({ length: bars }, (_, n) => edge(n));
  return hasTail ? [...edges, end, max] : [...edges, max];
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
