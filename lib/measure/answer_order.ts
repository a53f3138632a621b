import { Histogram } from "./histogram.ts";
import { Sequence, type SequenceCounts } from "./sequence.ts";
import { Smoothed } from "./smoothed.ts";

/**
 * Answers in the order in which the reflector sent them, which is the order in
 * which the questions arrived there. They are put in order by the reflector's
 * numbers, in bounded memory: of the last ones, up to so many numbers apart.
 */
export class AnswerOrder {
  /** How the delays to the reflector vary (RFC 3550). */
  readonly jitter: Smoothed = new Smoothed();
  /** Differences of the delays back of answers sent in a row (RFC 5481). */
  readonly ipdv: Histogram = new Histogram();
  readonly #sequence = new Sequence();
  readonly #slots: number;
  readonly #questions: Float64Array<ArrayBuffer>;
  readonly #out: Float64Array<ArrayBuffer>;
  readonly #back: Float64Array<ArrayBuffer>;
  // The first number that was not passed on, and the one behind the largest.
  #first: number | undefined;
  #next = 0;
  #lastNumber = NaN;
  #lastBack = NaN;

  /** @param slots How many numbers it holds, a power of 2. */
  constructor(slots: number) {
    this.#slots = slots;
    this.#questions = new Float64Array(slots).fill(NaN);
    this.#out = new Float64Array(slots);
    this.#back = new Float64Array(slots);
  }

  /** The order of the questions that were answered, as far as it is known. */
  get counts(): SequenceCounts {
    return this.#sequence.counts;
  }

  /**
   * Adds an answer that came for the first time.
   *
   * @param number The reflector's number, 32 bits.
   * @param question The number of the question.
   * @param out The reflector's clock less the own one, of the way to it.
   * @param back The own clock less the reflector's, of the way back.
   */
  add(number: number, question: number, out: number, back: number): void {
    if (this.#first === undefined) {
      this.#next = number;
      this.#first = number - this.#slots;
    }
    const full = this.#next + (number - this.#next | 0);
    // Too old to have its place.
    if (full < this.#first) return;
    if (full >= this.#next) {
      this.#passOn(full + 1 - this.#slots);
      this.#next = full + 1;
    }
    const slot = this.#slot(full);
    this.#questions[slot] = question;
    this.#out[slot] = out;
    this.#back[slot] = back;
  }

  /** Passes all answers on: no more come. */
  end(): void {
    this.#passOn(this.#next);
  }

  /** Passes the answers on that are before a number. */
  #passOn(end: number): void {
    // At most so many are there, however far the number is.
    const last = Math.min(end, this.#next);
    for (let full = this.#first ?? 0; full < last; full++) this.#pass(full);
    this.#first = Math.max(end, this.#first ?? end);
  }

  #pass(full: number): void {
    const slot = this.#slot(full);
    const question = this.#questions[slot]!;
    if (Number.isNaN(question)) return;
    this.#questions[slot] = NaN;
    const back = this.#back[slot]!;
    // Not a question that came twice: only its first arrival has an order.
    if (this.#sequence.add(question % 2 ** 32) !== "duplicate") {
      this.jitter.add(this.#out[slot]!);
    }
    if (full === this.#lastNumber + 1) {
      this.ipdv.record(Math.abs(back - this.#lastBack));
    }
    this.#lastNumber = full;
    this.#lastBack = back;
  }

  #slot(full: number): number {
    return full & (this.#slots - 1);
  }
}
