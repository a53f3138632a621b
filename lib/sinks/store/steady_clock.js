// @ts-check
// The time by which messages become too old.

// A smaller difference is no jump.
const JUMP_MS = 10_000;
// How long a clock that jumped ahead is not believed.
const DOUBT_MS = 15 * 60_000;
// The most that may pass between two readings: a process may be stopped, and a
// program that sets clocks may set the monotonic one, too.
const MAX_STEP_MS = 5000;

/**
 * Follows a wall clock. If that jumps ahead, it goes on as before, until the jump
 * has lasted for a quarter of an hour: what was deleted in error does not come
 * back. It must be read every few seconds.
 */
export class SteadyClock {
  #time;
  #readAt;
  #doubtedMs = 0;

  /**
   * @param {number} wall The wall clock, in milliseconds.
   * @param {number} now A monotonic clock, in milliseconds.
   * @param {number} latest A time in the past, by the same wall clock.
   */
  constructor(wall, now, latest = wall) {
    this.#time = Math.min(latest, wall);
    this.#readAt = now;
    // Nobody saw a jump: it is doubted, but not reported.
    if (wall - this.#time > JUMP_MS) this.#doubtedMs = 1;
  }

  /**
   * @param {number} wall
   * @param {number} now
   * @returns {{ time: number, jumpMs: number }} The time, and the jump if it is
   * seen for the first time.
   */
  read(wall, now) {
    const passed = Math.max(0, Math.min(now - this.#readAt, MAX_STEP_MS));
    this.#readAt = now;
    const expected = this.#time + passed;
    const ahead = wall - expected;
    const isNew = this.#doubtedMs === 0;
    const isDoubtful = ahead > JUMP_MS && this.#doubtedMs < DOUBT_MS;
    this.#doubtedMs = isDoubtful ? this.#doubtedMs + passed : 0;
    this.#time = isDoubtful ? expected : wall;
    return { time: this.#time, jumpMs: isDoubtful && isNew ? ahead : 0 };
  }
}
