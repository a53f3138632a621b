// How long a measurement is by default.
const USUAL_SECONDS = 0.5;

/**
 * Returns whether measurements are shorter than usual: to see that everything
 * works, not for their figures. They have no least length, and no more warm-up
 * than the programs have by themselves.
 */
export function isBrief(seconds: number): boolean {
  return seconds < USUAL_SECONDS;
}

/** Returns the length of a measurement whose figures need that many seconds. */
export function atLeast(least: number, seconds: number): number {
  return isBrief(seconds) ? seconds : Math.max(least, seconds);
}
