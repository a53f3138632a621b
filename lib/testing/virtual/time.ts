import type { VirtualClock } from "../virtual_clock.ts";
import { Jobs } from "./jobs.ts";
import { Timers } from "./timers.ts";

// How often the time is read at one moment before it passes by itself: a program
// that waits by reading it again and again would wait for ever.
const MAX_READS = 100_000;
const READS_PER_MS = 1000;

/** The time of one run: its clock, its timers, and the real jobs that stop it. */
export class VirtualTime {
  readonly timers: Timers;
  readonly jobs: Jobs;
  /** The date at the clock's 0, in milliseconds since 1970. */
  readonly origin: number;
  readonly #clock: VirtualClock;
  #reads = 0;
  #readIn = -1;

  constructor(clock: VirtualClock, origin: number) {
    this.#clock = clock;
    this.origin = origin;
    this.timers = new Timers(clock);
    this.jobs = new Jobs(clock);
  }

  /** As `performance.now()`. */
  now(): number {
    if (this.#readIn !== this.#clock.steps) {
      this.#readIn = this.#clock.steps;
      this.#reads = 0;
    }
    this.#reads++;
    if (this.#reads > MAX_READS && this.#reads % READS_PER_MS === 0) {
      this.#clock.skip(1);
    }
    return this.#clock.now();
  }

  /** As `Date.now()`. */
  date(): number {
    return Math.floor(this.origin + this.now());
  }

  /** Whether something is planned that brings the program further. */
  get goesOn(): boolean {
    const { calls } = this.timers;
    const idle = calls.planned.size - calls.awaited.length;
    return this.#clock.planned > idle && !this.#clock.isHeld;
  }

  /** A number that grows whenever something happens that somebody waits for. */
  get progress(): number {
    const { calls } = this.timers;
    return this.#clock.events - calls.idleEvents + this.jobs.changes;
  }

  /** Ends all timers, and lets jobs be. */
  end(): void {
    this.timers.calls.end();
    this.jobs.end();
  }
}
