// How often an interval may pass before waiting ends although there is progress.
const MAX_INTERVALS = 4;

/**
 * Waits for a peer while it makes progress: until the value has not changed for
 * an interval, and for four intervals at most.
 *
 * @param progress Read once per interval.
 * @returns `over` resolves when waiting should end; `stop` clears the timer.
 */
export function patience(
  intervalMs: number,
  progress: () => number,
): { over: Promise<void>; stop: () => void } {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  let last = progress();
  let intervals = 0;
  const timer = setInterval(() => {
    const now = progress();
    if (now === last || ++intervals === MAX_INTERVALS) resolve();
    last = now;
  }, intervalMs);
  return { over, stop: () => clearInterval(timer) };
}
