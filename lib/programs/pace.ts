// How far behind it may fall and still catch up, in milliseconds: timers are no
// finer, and after a long pause there should be no burst.
const SLACK_MS = 10;

/** Returns a function that waits until the next of `rate` steps per second. */
export function pace(rate: number): () => Promise<void> {
  const interval = 1000 / rate;
  let due = performance.now();
  return async () => {
    const early = due - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    due = Math.max(due, performance.now() - SLACK_MS) + interval;
  };
}
