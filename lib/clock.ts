/**
 * The time that a socket's `timeoutMs` and `retries` run on. A carrier that has
 * one of its own (a simulated network, whose time is virtual) gives it; all
 * others run on the system's.
 */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
  /**
   * Calls back once, after at least `ms` milliseconds (0 to 2^31 - 1).
   *
   * @returns What cancels the call; it does nothing once the call was made.
   */
  after(ms: number, callback: () => void): () => void;
  /**
   * Calls back once, when whatever has arrived by now has been looked at.
   *
   * @returns What cancels the call.
   */
  turn(callback: () => void): () => void;
}

// While anything else is to be done, the event loop looks at its sockets once in
// 61 rounds (tokio's event interval): of 300 waiting datagrams 50 rounds showed
// none and 60 all. A timer would make it idle and so look, but one that is due
// already, on a busy machine, does not. Twice as many as it takes last 0.3 ms.
const LOOKS = 128;

/** The system's monotonic clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  turn: (callback) => {
    let looks = LOOKS;
    let immediate: ReturnType<typeof setImmediate>;
    const look = () => {
      if (looks-- > 0) immediate = setImmediate(look);
      else callback();
    };
    look();
    return () => clearImmediate(immediate);
  },
};
