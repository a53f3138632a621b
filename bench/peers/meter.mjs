// What the peers in JavaScript share, on Deno, Node and Bun: their arguments and
// the window of time that is measured. The counterpart of peer.h.
import process from "node:process";

const WARM_UP_MS = 300;
const POLL_MS = 5;

/**
 * What a role is given.
 *
 * @typedef {object} Args
 * @property {number} size Bytes per datagram.
 * @property {number} seconds The length of the window.
 * @property {number} port The port of the other side; of a sender only.
 * @property {number} hosts How many hosts the role `paced` sends to.
 * @property {number} perSecond How often it sends; 0 is as fast as it can.
 * @property {Uint8Array<ArrayBuffer>} data A datagram of that size, all ones.
 */

/**
 * The measurement of one window of time.
 *
 * @typedef {object} Throughput
 * @property {number} perSecond
 * @property {number} cpuMicros CPU time per datagram: user and system, all
 * threads.
 * @property {number} cores CPU time divided by elapsed time.
 * @property {number} systemShare The share of the CPU time that the kernel used.
 * @property {number} rss The highest resident memory that was seen, in bytes.
 */

/**
 * Plays the role that the command line names.
 *
 * @param {Record<string, (args: Args) => void | Promise<void>>} roles
 * @param {string[]} args
 */
export async function play(
  roles,
  [role, ...numbers] = process.argv.slice(2),
) {
  const [size, seconds, port, hosts, perSecond] = numbers.map(Number);
  const data = new Uint8Array(size).fill(1);
  endAfter(seconds + 20);
  await roles[role]({ size, seconds, port, hosts, perSecond, data });
}

/**
 * Measures the growth of a counter, and the CPU time, over a window of time.
 * Waits for the first count, then lets the program warm up.
 *
 * @param {() => number} count
 * @param {number} seconds
 * @returns {Promise<Throughput>}
 */
export async function measure(count, seconds) {
  while (count() === 0) await delay(POLL_MS);
  await delay(WARM_UP_MS);
  let rss = 0;
  const watch = setInterval(() => rss = Math.max(rss, resident()), 100);
  const [counted, start, cpu] = [
    count(),
    performance.now(),
    process.cpuUsage(),
  ];
  // On a busy machine a short window may pass while the other side is stopped.
  for (let windows = 0; windows < 10 && count() === counted; windows++) {
    await delay(seconds * 1000);
  }
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

/**
 * The datagrams that have been received or sent so far. `sum` is that of the bytes
 * that a role reads, `hosts` those that a role tells apart.
 */
export const counted = { datagrams: 0, bytes: 0, sum: 0, hosts: new Set() };

/**
 * Returns the hosts of the roles that have many peers.
 *
 * @param {number} length
 */
export function hostsInTurn(length) {
  return Array.from(
    { length },
    (_, n) => `127.${1 + (n >> 16)}.${n >> 8 & 255}.${n & 255}`,
  );
}

/** The hosts of the role `to-many`. */
export const HOSTS = hostsInTurn(1000);

/**
 * Counts a datagram, adds up its bytes, and notes its host.
 *
 * @param {Uint8Array} data
 * @param {string} host
 */
export function take(data, host) {
  counted.datagrams++;
  counted.bytes += data.length;
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i];
  counted.sum += sum;
  counted.hosts.add(host);
}

/**
 * Measures the counted datagrams and prints the result. The program goes on
 * until it is ended, as the other side may still be measuring.
 *
 * @param {number} seconds
 */
export async function report(seconds) {
  const window = await measure(() => counted.datagrams, seconds);
  const { datagrams, bytes, sum, hosts } = counted;
  console.log(JSON.stringify({
    ...window,
    bytesEach: bytes / datagrams,
    sumEach: sum / datagrams,
    hosts: hosts.size,
  }));
}

/**
 * Prints the port of a receiver, and the memory that it uses before any traffic.
 *
 * @param {number} port
 * @param {string} [cert] The certificate that the other side has to trust, in
 * PEM.
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

  /** Records a round trip. Returns whether another should follow. */
  next() {
    const after = performance.now();
    if (this.#before >= this.#start) {
      this.#micros.push((after - this.#before) * 1000);
    }
    this.#before = after;
    if (after < this.#end || this.#micros.length === 0) return true;
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
 * Ends this process after a time, in case its parent is gone.
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
function delay(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
