import type { Clock } from "../clock.ts";
import { until } from "../until.ts";

// After a pause of the program that was longer, there is no burst.
const SLACK_MS = 1000;
const NANOSECONDS_PER_MS = 1e6;

/** How fast datagrams follow each other. */
export interface Pace {
  /** How many times as fast as they were captured; `Infinity` for at once. */
  readonly speed: number;
  /** Datagrams per second, whatever their times are. */
  readonly rate: number | undefined;
}

/**
 * Plans when datagrams are sent. The plan does not depend on how long a send
 * takes: what is late is sent at once, and the next one at its time.
 */
export class Schedule {
  readonly #clock: Clock;
  readonly #pace: Pace;
  // The time of a datagram in the capture, and when it is sent.
  #base: { captured: bigint; at: number } | undefined;
  #due: number;
  #isFirst = true;
  #latestMs = 0;

  constructor(clock: Clock, pace: Pace) {
    this.#clock = clock;
    this.#pace = pace;
    this.#due = clock.now();
  }

  /** How late the latest datagram was, in milliseconds. */
  get latestMs(): number {
    return this.#latestMs;
  }

  /** Begins another capture, which follows at once. */
  restart(): void {
    this.#base = undefined;
  }

  /** Waits until a datagram is due that was captured at that time. */
  async wait(time: bigint | undefined, signal: AbortSignal): Promise<void> {
    if (this.#isFirst) this.#due = this.#clock.now();
    this.#due = Math.max(this.#due, this.#plan(time));
    this.#isFirst = false;
    await until(this.#clock, this.#due, signal);
    const late = this.#clock.now() - this.#due;
    this.#latestMs = Math.max(this.#latestMs, late);
    if (late > SLACK_MS) this.#shift(late);
  }

  #plan(time: bigint | undefined): number {
    const { speed, rate } = this.#pace;
    if (rate !== undefined) {
      return this.#isFirst ? this.#due : this.#due + 1000 / rate;
    }
    if (speed === Infinity) return this.#clock.now();
    if (time === undefined) return this.#due;
    this.#base ??= { captured: time, at: this.#due };
    const { captured, at } = this.#base;
    return at + Number(time - captured) / NANOSECONDS_PER_MS / speed;
  }

  #shift(ms: number): void {
    this.#due += ms;
    if (this.#base !== undefined) this.#base.at += ms;
  }
}
