// How far behind the pace may fall and still catch up, in milliseconds: timers
// are no finer, and after a long pause nothing should come all at once.
const SLACK_MS = 10;

/** Waits so long between steps that no more than `rate` a second are made. */
export function pace(rate: number): () => Promise<void> {
  const interval = 1000 / rate;
  let due = performance.now();
  return async () => {
    const early = due - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    due = Math.max(due, performance.now() - SLACK_MS) + interval;
  };
}
