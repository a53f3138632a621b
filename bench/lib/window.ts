import { cpuUsage } from "node:process";

const WARM_UP_MS = 500;

/** What a window of time gave. */
export type Throughput = { perSecond: number; cpuMicros: number };

/**
 * Lets the program warm up, then looks at a counter before and after a window
 * of time, and at the CPU time (user and system, all threads) in between.
 */
export async function measure(
  count: () => number,
  seconds: number,
): Promise<Throughput> {
  await pass(WARM_UP_MS);
  const [counted, start, cpu] = [count(), performance.now(), cpuUsage()];
  await pass(seconds * 1000);
  const { user, system } = cpuUsage(cpu);
  const elapsed = performance.now() - start;
  const done = count() - counted;
  return {
    perSecond: done / elapsed * 1000,
    cpuMicros: (user + system) / done,
  };
}

/** Ends this process, should whoever started it be gone or something hang. */
export function endAfter(seconds: number): void {
  Deno.unrefTimer(setTimeout(() => Deno.exit(1), seconds * 1000));
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
