/** What a {@linkcode Sequence} counted. */
export interface SequenceCounts {
  /** How many numbers arrived, each time. */
  readonly received: number;
  /** How many different numbers arrived. */
  readonly distinct: number;
  /** How many arrived once more. */
  readonly duplicates: number;
  /**
   * How many arrived so late that it is unknown whether they had arrived before:
   * neither `distinct` nor `duplicates`.
   */
  readonly tooOld: number;
  /** How many of `distinct` were reordered (RFC 4737, section 3.3). */
  readonly reordered: number;
  /** The largest extent of a reordered one (RFC 4737, section 4.2). */
  readonly maxExtent: number;
  /** The sum of the extents. */
  readonly sumOfExtents: number;
}

/** What an arrival was. */
export type Arrival = "in order" | "reordered" | "duplicate" | "too old";

const HALF = 2 ** 31;
// The members of a gap, which lie behind each other in one array.
const FROM = 0;
const TO = 1;
const AT = 2;
const MEMBERS = 3;

/**
 * Counts numbers of 32 bits in the order of their arrival: which came again, and
 * which came out of order. A number that wraps goes on.
 *
 * It keeps the gaps, not the numbers: what arrives below the next expected number
 * and in no gap has arrived before. The first arrival beyond a missing number is
 * the one that made its gap, so a gap also gives the extent of what fills it. It
 * is exact as long as no more gaps are open than it may keep; then the oldest is
 * forgotten, and what belongs there is counted as too old.
 */
export class Sequence {
  readonly #maxGaps: number;
  // By their numbers, in threes: the first one, the one behind the last, and how
  // many distinct ones had arrived when the gap was made.
  readonly #gaps: number[] = [];
  // The next expected number, unwrapped; below it are arrived ones and gaps.
  #next: number | undefined;
  #floor = -Infinity;
  #received = 0;
  #distinct = 0;
  #duplicates = 0;
  #tooOld = 0;
  #reordered = 0;
  #maxExtent = 0;
  #sumOfExtents = 0;

  /** @param maxGaps How many gaps are kept at most. */
  constructor(maxGaps: number = 4096) {
    this.#maxGaps = maxGaps;
  }

  /** The counts so far. */
  get counts(): SequenceCounts {
    return {
      received: this.#received,
      distinct: this.#distinct,
      duplicates: this.#duplicates,
      tooOld: this.#tooOld,
      reordered: this.#reordered,
      maxExtent: this.#maxExtent,
      sumOfExtents: this.#sumOfExtents,
    };
  }

  /** Counts a number that has arrived, of 32 bits. */
  add(number: number): Arrival {
    this.#received++;
    // Whatever comes before the first arrival is missing.
    const next = this.#next ??= this.#begin(number);
    const full = next + (number - next | 0);
    if (full >= next) {
      if (full > next) this.#open(next, full);
      this.#next = full + 1;
      this.#distinct++;
      return "in order";
    }
    if (full < this.#floor) {
      this.#tooOld++;
      return "too old";
    }
    const gap = this.#find(full);
    if (gap === undefined) {
      this.#duplicates++;
      return "duplicate";
    }
    const extent = this.#distinct - this.#gaps[gap + AT]!;
    this.#fill(gap, full);
    this.#distinct++;
    this.#reordered++;
    this.#sumOfExtents += extent;
    if (extent > this.#maxExtent) this.#maxExtent = extent;
    return "reordered";
  }

  #begin(number: number): number {
    this.#open(number - HALF, number);
    return number;
  }

  #open(from: number, to: number): void {
    const gaps = this.#gaps;
    gaps.push(from, to, this.#distinct);
    if (gaps.length > this.#maxGaps * MEMBERS) {
      this.#floor = gaps[TO]!;
      gaps.splice(0, MEMBERS);
    }
  }

  /** Returns where the gap is that a number belongs to. */
  #find(number: number): number | undefined {
    const gaps = this.#gaps;
    let low = 0;
    let high = gaps.length / MEMBERS;
    while (low < high) {
      const middle = low + high >> 1;
      if (gaps[middle * MEMBERS + TO]! <= number) low = middle + 1;
      else high = middle;
    }
    const gap = low * MEMBERS;
    return gap < gaps.length && gaps[gap + FROM]! <= number ? gap : undefined;
  }

  /** Takes a number out of its gap, which may leave none, one or two. */
  #fill(gap: number, number: number): void {
    const gaps = this.#gaps;
    const from = gaps[gap + FROM]!;
    const to = gaps[gap + TO]!;
    if (from === number && to === number + 1) gaps.splice(gap, MEMBERS);
    else if (from === number) gaps[gap + FROM] = number + 1;
    else {
      gaps[gap + TO] = number;
      if (to !== number + 1) {
        gaps.splice(gap + MEMBERS, 0, number + 1, to, gaps[gap + AT]!);
        if (gaps.length > this.#maxGaps * MEMBERS) {
          this.#floor = gaps[TO]!;
          gaps.splice(0, MEMBERS);
        }
      }
    }
  }
}
