const MAX_MS = 2 ** 31 - 1;
// A peer that takes its bytes more slowly than this is not waited for to the end.
const MIN_BYTES_PER_MS = 16;
const INTERVALS = 4;

/**
 * Waits at the end for a peer that still takes bytes: until there was no
 * progress for an interval, and at most for four intervals and a second for each
 * 16,000 bytes.
 *
 * @param intervalMs In milliseconds; `Infinity` waits without a limit.
 * @param bytes How many bytes the peer has to take.
 * @param progress A number that changes with each progress.
 * @returns `over` resolves when waiting should end; `stop` clears the timers.
 */
export function patience(
  intervalMs: number,
  bytes: number,
  progress: () => number,
): { over: Promise<void>; stop: () => void } {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  if (intervalMs === Infinity) return { over, stop: () => {} };
  let last = progress();
  const silence = setInterval(() => {
    const now = progress();
    if (now === last) resolve();
    last = now;
  }, intervalMs);
  const longest = INTERVALS * intervalMs + bytes / MIN_BYTES_PER_MS;
  const limit = setTimeout(resolve, Math.min(longest, MAX_MS));
  const stop = () => {
    clearInterval(silence);
    clearTimeout(limit);
  };
  return { over, stop };
}
