/** What happened to the questions that were planned in a part of the time. */
export interface TimeBin {
  readonly startMs: number;
  /** The shortest, the mean and the longest delay; `count` is 0 without any. */
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  readonly count: number;
  /** How many questions were not answered in time. */
  readonly lost: number;
}

interface Counts {
  min: number;
  sum: number;
  max: number;
  count: number;
  lost: number;
}

// Even, since they are joined in pairs.
const MOST = 600;

/**
 * Delays over time in at most 600 bins, however long it takes: when there are more,
 * each two become one.
 */
export class TimeBins {
  #widthMs: number;
  #bins: Counts[] = [];

  /** @param widthMs How long a bin is at first. */
  constructor(widthMs = 10) {
    this.#widthMs = widthMs;
  }

  /** How long a bin is now, in milliseconds. */
  get widthMs(): number {
    return this.#widthMs;
  }

  /** Adds a question: its time, and its delay if it was answered. */
  add(atMs: number, delayMs: number | undefined): void {
    if (!(atMs >= 0) || atMs === Infinity) return;
    while (atMs >= this.#widthMs * MOST) this.#join();
    const index = Math.floor(atMs / this.#widthMs);
    while (this.#bins.length <= index) this.#bins.push(noCounts());
    const bin = this.#bins[index]!;
    if (delayMs === undefined) {
      bin.lost++;
      return;
    }
    bin.min = Math.min(bin.min, delayMs);
    bin.max = Math.max(bin.max, delayMs);
    bin.sum += delayMs;
    bin.count++;
  }

  /** Returns the bins that have questions, in order. */
  all(): TimeBin[] {
    return this.#bins.flatMap(({ min, sum, max, count, lost }, n) =>
      count + lost === 0 ? [] : [{
        startMs: n * this.#widthMs,
        min: count === 0 ? 0 : min,
        mean: count === 0 ? 0 : sum / count,
        max: count === 0 ? 0 : max,
        count,
        lost,
      }]
    );
  }

  #join(): void {
    this.#widthMs *= 2;
    const before = this.#bins;
    this.#bins = [];
    for (let n = 0; n < before.length; n += 2) {
      const one = before[n]!;
      const other = before[n + 1] ?? noCounts();
      this.#bins.push({
        min: Math.min(one.min, other.min),
        sum: one.sum + other.sum,
        max: Math.max(one.max, other.max),
        count: one.count + other.count,
        lost: one.lost + other.lost,
      });
    }
  }
}

function noCounts(): Counts {
  return { min: Infinity, sum: 0, max: -Infinity, count: 0, lost: 0 };
}
