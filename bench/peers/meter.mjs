// What the peers in JavaScript share, on Deno, Node and Bun alike: the window of
// time that is measured. The counterpart of peer.h.
import process from "node:process";

const WARM_UP_MS = 300;
const LOOK_MS = 5;

/**
 * What a window of time gave.
 *
 * @typedef {object} Throughput
 * @property {number} perSecond
 * @property {number} cpuMicros User and system, all threads, for each.
 * @property {number} cores CPU time by time passed.
 * @property {number} systemShare How much of the CPU time was the kernel's.
 * @property {number} rss Resident, in bytes, the most that was seen.
 */

/**
 * Looks at a counter before and after a window of time, and at the CPU time in
 * between. Begins with the first that is counted, and lets the program warm up.
 *
 * @param {() => number} count
 * @param {number} seconds
 * @returns {Promise<Throughput>}
 */
export async function measure(count, seconds) {
  while (count() === 0) await pass(LOOK_MS);
  await pass(WARM_UP_MS);
  let rss = 0;
  const watch = setInterval(() => rss = Math.max(rss, resident()), 100);
  const [counted, start, cpu] = [
    count(),
    performance.now(),
    process.cpuUsage(),
  ];
  await pass(seconds * 1000);
  const { user, system } = process.cpuUsage(cpu);
  const elapsed = performance.now() - start;
  const done = count() - counted;
  clearInterval(watch);
  return {
    perSecond: done / elapsed * 1000,
    cpuMicros: (user + system) / done,
    cores: (user + system) / 1000 / elapsed,
    systemShare: system / (user + system),
    rss: Math.max(rss, resident()),
  };
}

/** What has been received or sent so far. */
export const counted = { datagrams: 0, bytes: 0, sum: 0 };

/**
 * Prints what a window of time gave. The program goes on then until it is
 * ended, as the other side may not have measured yet.
 *
 * @param {number} seconds
 */
export async function report(seconds) {
  const window = await measure(() => counted.datagrams, seconds);
  const { datagrams, bytes, sum } = counted;
  console.log(JSON.stringify({
    ...window,
    bytesEach: bytes / datagrams,
    sum,
  }));
}

/**
 * Prints where a receiver listens, and how much memory it takes until then.
 *
 * @param {number} port
 * @param {string} [cert] What the other side has to trust, as PEM.
 */
export function listening(port, cert) {
  console.log(JSON.stringify({ port, rss: resident(), cert }));
}

/** Takes the times of round trips, one at a time, and prints percentiles. */
export class RoundTrips {
  /** @type {number[]} */
  #micros = [];
  #start = performance.now() + WARM_UP_MS;
  #end;
  #before = performance.now();

  /** @param {number} seconds */
  constructor(seconds) {
    this.#end = this.#start + seconds * 1000;
  }

  /** To be called after each. Says whether there should be another. */
  next() {
    const after = performance.now();
    if (this.#before >= this.#start) {
      this.#micros.push((after - this.#before) * 1000);
    }
    this.#before = after;
    if (after < this.#end) return true;
    const sorted = Float64Array.from(this.#micros).sort();
    /** @param {number} p */
    const percentile = (p) => sorted[Math.floor(sorted.length * p / 1000)];
    console.log(JSON.stringify({
      p50: percentile(500),
      p99: percentile(990),
      p999: percentile(999),
    }));
    return false;
  }
}

/**
 * Ends this process, should whoever started it be gone.
 *
 * @param {number} seconds
 */
export function endAfter(seconds) {
  setTimeout(() => process.exit(1), seconds * 1000).unref?.();
}

function resident() {
  return process.memoryUsage().rss;
}

/**
 * @param {number} ms
 * @returns {Promise<void>}
 */
function pass(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
