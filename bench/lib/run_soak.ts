import { Buffer } from "node:buffer";
import { bind, connect, type ReceivedRun } from "../../mod.ts";
import { offload } from "../../lib/carriers/offload.ts";
import { sendMarks } from "./mark.ts";

// What may be on its way: half of what a socket's buffer holds by default.
const WINDOW_BYTES = 96 * 1024;
const WINDOW_RUNS = 32;
const LARGEST = 65_507;
const PATTERN = Buffer.concat(
  Array.from(
    { length: 4 },
    () => crypto.getRandomValues(new Uint8Array(LARGEST)),
  ),
);
// The lengths of most datagrams; the others have any length.
const SIZES = [0, 1, 7, 100, 100, 512, 1000, 1472, 8000];
// How many datagrams the system may drop for each drop that it counts.
const MOST_PER_DROP = 128;

/** What became of the datagrams. */
export interface RunLedger {
  sent: number;
  received: number;
  missing: number;
  runs: number;
  bytes: number;
  kernelDrops: number;
}

/** Datagrams that were sent by one call. */
interface Sent {
  /** Where their bytes begin in the pattern. */
  at: number;
  readonly end: number;
  readonly segmentSize: number;
  /** Whether it is a single datagram that is empty. */
  readonly isEmpty: boolean;
}

/**
 * Sends datagrams of mixed lengths by `sendRun`, waits for each window to arrive,
 * and compares every byte, every length and the order of what `runs` delivers.
 *
 * @param reuse Whether the runs are compared in the carrier's memory.
 * @throws {Error} A datagram is missing or arrived changed, out of order or twice.
 */
export async function controlledRuns(
  count: number,
  reuse: boolean,
): Promise<RunLedger> {
  const carrier = offload();
  await using socket = bind("udp://127.0.0.1:0", { carrier });
  await using client = await connect(socket.addr, { carrier });
  const expected: Sent[] = [];
  let received = 0;
  let runs = 0;
  let bytes = 0;
  let sent = 0;
  let arrived = Promise.withResolvers<void>();
  const receive = async () => {
    for await (const run of socket.runs({ reuse, timeoutMs: 30_000 })) {
      compare(run, expected);
      runs++;
      received += run.count;
      bytes += run.data.length;
      if (received === sent) arrived.resolve();
      if (received === count) return;
    }
  };
  const ended = receive();
  ended.catch((error) => arrived.reject(error));
  for (let n = 0; sent < count;) {
    arrived = Promise.withResolvers();
    const window: Promise<number>[] = [];
    for (let room = WINDOW_BYTES, i = 0; i < WINDOW_RUNS; i++, n++) {
      const size = sizeOf(n);
      const most = size === 0
        ? 1
        : Math.min(1 + n * 7 % 300, Math.floor(room / size), count - sent);
      if (most < 1 || sent === count) break;
      // The last one of many runs is shorter.
      const cut = most > 1 && n % 3 === 0 ? n % size : 0;
      const length = most * size - cut;
      const at = n * 31 % (PATTERN.length - length);
      expected.push({
        at,
        end: at + length,
        segmentSize: size,
        isEmpty: length === 0,
      });
      room -= length;
      sent += most;
      window.push(client.sendRun(PATTERN.subarray(at, at + length), size));
    }
    await Promise.all(window);
    await arrived.promise;
  }
  await ended;
  const kernelDrops = await socket.kernelDrops() ?? NaN;
  return { sent, received, missing: 0, runs, bytes, kernelDrops };
}

/**
 * Sends numbered datagrams as fast as it can, and counts those that arrive and
 * those that are missing.
 *
 * @throws {Error} A datagram arrived changed, out of order or twice.
 */
export async function uncontrolledRuns(count: number): Promise<RunLedger> {
  const carrier = offload();
  await using socket = bind("udp://127.0.0.1:0", { carrier });
  await using client = await connect(socket.addr, { carrier });
  let [expected, received, missing, runs, bytes] = [0, 0, 0, 0, 0];
  const check = (run: ReceivedRun) => {
    runs++;
    bytes += run.data.length;
    for (const datagram of run) {
      const view = new DataView(datagram.buffer, datagram.byteOffset);
      const n = view.getUint32(0);
      const { length } = datagram;
      if (n < expected || view.getUint32(length - 4) !== (n ^ length)) {
        throw new Error(
          `datagram ${n} of ${length} bytes instead of ${expected}`,
        );
      }
      missing += n - expected;
      expected = n + 1;
      received++;
    }
  };
  const receive = async () => {
    for await (const run of socket.runs({ reuse: true })) {
      if (run.data.length === 0) return;
      check(run);
    }
  };
  const ended = receive();
  ended.catch(() => {});
  for (let sent = 0, n = 0; sent < count; n++) {
    const size = 8 + n * 13 % 200;
    const most = Math.min(1 + n * 7 % 500, count - sent);
    const data = new Uint8Array(size * most);
    const view = new DataView(data.buffer);
    for (let at = 0; at < data.length; at += size, sent++) {
      view.setUint32(at, sent);
      view.setUint32(at + size - 4, sent ^ size);
    }
    await client.sendRun(data, size);
    if (n % 10 === 0) await new Promise((go) => setImmediate(go));
  }
  // Over loopback a datagram has arrived when its send returns.
  const kernelDrops = await socket.kernelDrops() ?? NaN;
  await sendMarks(() => client.send(""), ended);
  missing += count - expected;
  if (missing < kernelDrops || missing > MOST_PER_DROP * kernelDrops) {
    throw new Error(`${missing} are missing, and ${kernelDrops} were dropped`);
  }
  return { sent: count, received, missing, runs, bytes, kernelDrops };
}

function sizeOf(n: number): number {
  return n % 101 === 0 ? n % (LARGEST + 1) : SIZES[n % SIZES.length]!;
}

/** Compares a run with what was sent, to the byte. */
function compare(run: ReceivedRun, expected: Sent[]): void {
  const { data, segmentSize, count } = run;
  let [at, n] = [0, 0];
  while (n < count) {
    const sent = expected[0];
    const size = Math.min(
      sent?.segmentSize ?? 0,
      (sent?.end ?? 0) - (sent?.at ?? 0),
    );
    // As many as are whole both in the run and in what was sent.
    const length = Math.min(
      data.length - at,
      (sent?.end ?? 0) - (sent?.at ?? 0),
    );
    if (
      sent === undefined || sent.isEmpty !== (data.length === 0) ||
      Math.min(segmentSize, data.length - at) !== size ||
      !Buffer.from(data.buffer, data.byteOffset + at, length)
        .equals(PATTERN.subarray(sent.at, sent.at + length))
    ) {
      throw new Error(
        `a datagram of ${segmentSize} bytes is not as it was sent (${size})`,
      );
    }
    n += Math.max(1, Math.ceil(length / segmentSize));
    at += length;
    sent.at += length;
    if (sent.at >= sent.end) expected.shift();
  }
}
