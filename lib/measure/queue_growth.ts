import { Histogram } from "./histogram.ts";
import type { MeasuredPacket } from "./result.ts";

const PARTS = 4;

/**
 * How much the delay grows over time: what a path does not carry waits in a queue
 * at first, long before it is lost. It compares the medians of four parts of the
 * time, and takes the smallest growth from one to the next: single delays, and a
 * pause of one end, do not matter.
 */
export class QueueGrowth {
  readonly #parts = Array.from({ length: PARTS }, () => new Histogram());
  readonly #durationMs: number;

  /** @param durationMs How long questions leave. */
  constructor(durationMs: number) {
    this.#durationMs = durationMs;
  }

  /** Takes a question when its fate is known. */
  add({ plannedMs, sentMs, receivedMs }: MeasuredPacket): void {
    if (sentMs === undefined || receivedMs === undefined) return;
    const part = Math.floor(plannedMs / this.#durationMs * PARTS);
    this.#parts[part]?.record(receivedMs - sentMs);
  }

  /**
   * By how many milliseconds the delay grows per millisecond, all the time. A path
   * that carries 100 of 101 datagrams has a growth of 0.01.
   */
  get value(): number {
    if (this.#parts.some(({ count }) => count === 0)) return 0;
    const medians = this.#parts.map((part) => part.percentiles([50])[0]!);
    const steps = medians.slice(1).map((median, n) => median - medians[n]!);
    return Math.min(...steps) / (this.#durationMs / PARTS);
  }
}
