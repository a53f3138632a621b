import {
  clearInterval,
  clearTimeout,
  setInterval,
  setTimeout,
} from "../platform.ts";

const MAX_MS = 2 ** 31 - 1;
// A peer that takes its bytes more slowly than this is not waited for to the end.
const MIN_BYTES_PER_MS = 16;
const INTERVALS = 4;
// How often progress is looked for in an interval.
const LOOKS = 4;

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
  let silent = 0;
  const look = setInterval(() => {
    const now = progress();
    silent = now === last ? silent + 1 : 0;
    last = now;
    if (silent === LOOKS) resolve();
  }, intervalMs / LOOKS);
  const longest = INTERVALS * intervalMs + bytes / MIN_BYTES_PER_MS;
  const limit = setTimeout(resolve, Math.min(longest, MAX_MS));
  const stop = () => {
    clearInterval(look);
    clearTimeout(limit);
  };
  return { over, stop };
}
