import { type Addr, copyAddr } from "../addr.ts";
import type { Run } from "../carrier.ts";
import type { Datagram } from "../datagram.ts";
import { ReceivedRun } from "../run.ts";

/** Returns the datagrams of a run from one index up to another. */
export function partOf<A extends Addr>(
  run: Run<A>,
  start: number,
  end: number,
): Run<A> {
  const { data, segmentSize, from, to } = run;
  return {
    ...run,
    data: data.subarray(start * segmentSize, end * segmentSize),
    count: end - start,
    from: copyAddr(from),
    ...(to !== undefined && { to: copyAddr(to) }),
  };
}

/** Divides runs in two, of which the first hold at most `max` datagrams. */
export function divide(
  runs: readonly Run[],
  max: number,
): [first: readonly Run[], rest: readonly Run[]] {
  let room = max;
  for (const [i, run] of runs.entries()) {
    const { count } = run;
    if (count <= room) {
      room -= count;
      continue;
    }
    const first = runs.slice(0, i);
    const rest = runs.slice(i);
    if (room > 0) {
      first.push(partOf(run, 0, room));
      rest[0] = partOf(run, room, count);
    }
    return [first, rest];
  }
  return [runs, []];
}

/** Returns a datagram as a run of one. */
export function runOf<A extends Addr>(
  { data, from, truncated, to, ecn, time }: Datagram<A>,
): ReceivedRun<A> {
  const segmentSize = data.length;
  const metadata = { to, ecn, time };
  return new ReceivedRun({
    ...{ data, segmentSize, from, truncated, count: 1 },
    ...metadata,
  });
}

/**
 * Whether what a carrier's `receive` returned is a datagram. A carrier may be
 * the program's, so what it returns is checked before it is used.
 */
export function isArrival(
  arrival: unknown,
): arrival is [Uint8Array<ArrayBuffer>, Addr] {
  return Array.isArray(arrival) && arrival[0] instanceof Uint8Array &&
    isSender(arrival[1]);
}

/** Whether an element of what a carrier's `receiveBatch` returned is a run. */
export function isRun(run: Run): boolean {
  if (typeof run !== "object" || run === null) return false;
  const { data, segmentSize, count, from } = run;
  if (!(data instanceof Uint8Array) || !isSender(from)) return false;
  if (!Number.isInteger(segmentSize) || segmentSize < 0) return false;
  const pieces = segmentSize === 0 ? 1 : Math.ceil(data.length / segmentSize);
  return count === Math.max(1, pieces) &&
    (segmentSize > 0 || data.length === 0);
}

/** Whether all elements of what a carrier's `receiveBatch` returned are runs. */
export function areRuns(arrived: readonly Run[]): boolean {
  for (const run of arrived) if (!isRun(run)) return false;
  return true;
}

function isSender(from: unknown): boolean {
  if (typeof from !== "object" || from === null) return false;
  // The fields of Deno's addresses take 250 ns to read in other ways.
  return typeof Reflect.get(from, "hostname") === "string" ||
    !("hostname" in from);
}
