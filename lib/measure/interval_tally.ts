import { Histogram } from "./histogram.ts";
import type { MeasureCounts } from "./result.ts";

/** What happened in one interval. */
export class IntervalTally {
  readonly rtt: Histogram = new Histogram();
  readonly duplicates = { out: 0, back: 0 };
  readonly reordered = { out: 0, back: 0 };
  sent = 0;
  received = 0;
  #largest = -1;

  /** Whether nothing happened. */
  get isEmpty(): boolean {
    const { duplicates, reordered } = this;
    return this.sent + this.received + duplicates.out + duplicates.back +
        reordered.out + reordered.back === 0;
  }

  /**
   * Notes the question of an answer that arrived in order. The reflector sent
   * these answers in this order, so it received the questions in this order.
   */
  order(question: number): void {
    if (question < this.#largest) this.reordered.out++;
    else this.#largest = question;
  }

  /** Returns the counts, and begins again with none. */
  take(): MeasureCounts {
    const { sent, received, rtt } = this;
    const counts = {
      sent,
      received,
      duplicates: { ...this.duplicates },
      reordered: { ...this.reordered },
      rttMs: rtt.delays(),
    };
    this.sent = this.received = 0;
    Object.assign(this.duplicates, { out: 0, back: 0 });
    Object.assign(this.reordered, { out: 0, back: 0 });
    rtt.clear();
    return counts;
  }
}
