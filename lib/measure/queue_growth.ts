import { Histogram } from "./histogram.ts";
import type { MeasuredPacket } from "./result.ts";

/**
 * How much the delay grows over time: what a path does not carry waits in a queue
 * at first, long before it is lost. It compares the medians of the first and the
 * last quarter, so that single delays do not matter.
 */
export class QueueGrowth {
  readonly #first = new Histogram();
  readonly #last = new Histogram();
  readonly #durationMs: number;

  /** @param durationMs How long questions leave. */
  constructor(durationMs: number) {
    this.#durationMs = durationMs;
  }

  /** Takes a question when its fate is known. */
  add({ plannedMs, sentMs, receivedMs }: MeasuredPacket): void {
    if (sentMs === undefined || receivedMs === undefined) return;
    const part = plannedMs / this.#durationMs;
    if (part < 0.25) this.#first.record(receivedMs - sentMs);
    if (part >= 0.75) this.#last.record(receivedMs - sentMs);
  }

  /**
   * By how many milliseconds the delay grows per millisecond. A path that carries
   * one datagram less in a hundred has a growth of 0.01.
   */
  get value(): number {
    if (this.#first.count === 0 || this.#last.count === 0) return 0;
    const [first = 0] = this.#first.percentiles([50]);
    const [last = 0] = this.#last.percentiles([50]);
    return (last - first) / (this.#durationMs * 0.75);
  }
}
