import type { Clock } from "../clock.ts";
import { beforeAbort } from "../promises.ts";
import { round } from "../turns.ts";

// Timers may be this late, so the rest is awaited round by round.
const TIMER_MS = 2;
const LONGEST_MS = 2 ** 31 - 1;
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
    const early = this.#due - this.#clock.now();
    if (early > 0) await this.#until(signal);
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

  async #until(signal: AbortSignal): Promise<void> {
    const clock = this.#clock;
    const spin = clock.isVirtual ? 0 : TIMER_MS;
    for (
      let early: number;
      !signal.aborted && (early = this.#due - clock.now()) > 0;
    ) {
      if (early <= spin) await round();
      else await sleep(clock, Math.min(early - spin, LONGEST_MS), signal);
    }
  }

  #shift(ms: number): void {
    this.#due += ms;
    if (this.#base !== undefined) this.#base.at += ms;
  }
}

/** Waits, but not beyond the signal. It leaves no timer. */
async function sleep(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  let cancel = () => {};
  const over = new Promise<void>((wake) => cancel = clock.after(ms, wake));
  await beforeAbort(over, signal);
  cancel();
}
