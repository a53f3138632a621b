// How far behind it may fall and still catch up, in milliseconds: timers are no
// finer, and after a long pause there should be no burst.
const SLACK_MS = 10;
// A timer that is set for longer ends at once.
const LONGEST_MS = 2 ** 31 - 1;

/** Returns a function that waits until the next of `rate` steps per second. */
export function pace(rate: number): () => Promise<void> {
  const interval = 1000 / rate;
  let due = performance.now();
  return async () => {
    for (let early; (early = due - performance.now()) > 0;) {
      const ms = Math.min(early, LONGEST_MS);
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
    due = Math.max(due, performance.now() - SLACK_MS) + interval;
  };
}
