import {
  clearImmediate,
  clearTimeout,
  performance,
  setImmediate,
  setTimeout,
} from "./platform.ts";

/**
 * The clock that a socket's `timeoutMs` and `retries` run on: the carrier's own
 * clock, if it has one (a simulated network has virtual time), or the system's.
 */
export interface Clock {
  /** Returns the milliseconds since some fixed moment. It never goes back. */
  now(): number;
  /**
   * Calls back once, after at least `ms` milliseconds (0 to 2^31 - 1).
   *
   * @returns A function that cancels the call. After the call it does nothing.
   */
  after(ms: number, callback: () => void): () => void;
  /**
   * Calls back once, after everything that has already arrived has been
   * processed.
   *
   * @returns A function that cancels the call.
   */
  turn(callback: () => void): () => void;
  /**
   * Whether its time passes only while the program waits. Loops that never wait
   * then let it pass by themselves, at the same steps in each run.
   * @default {false}
   */
  readonly isVirtual?: boolean | undefined;
}

// A busy event loop polls its sockets once in 61 rounds (tokio's event interval):
// of 300 waiting datagrams, 50 rounds delivered none and 60 all. A timer makes
// the loop idle, and so poll, but not on a busy machine, where the timer is due
// at once. Twice as many rounds as needed take 0.3 ms.
const ROUNDS = 128;

/** The system's monotonic clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  turn: (callback) => {
    let rounds = ROUNDS;
    let immediate: ReturnType<typeof setImmediate>;
    const next = () => {
      if (rounds-- > 0) immediate = setImmediate(next);
      else callback();
    };
    next();
    return () => clearImmediate(immediate);
  },
};
