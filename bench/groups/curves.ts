import {
  allPoints,
  idOf,
  labelOf,
  type Point,
  SERIES,
  type Series,
} from "../lib/curves.ts";
import { column, megabytes, micros, rate } from "../lib/format.ts";
import type { Case, Figures, Group, Start } from "../lib/group.ts";
import { throughput } from "../lib/measure.ts";
import { atLeast } from "../lib/least.ts";
import { figure } from "../lib/results.ts";
import { startStore } from "../lib/store_server.ts";
import { used } from "../lib/used.ts";

// The server prints its totals twice per second, and its CPU time is known in
// steps of 10 ms.
const WARM_UP_MS = 400;
const LEAST_MS = 900;
// The server prints control characters as escapes, which would be what costs most.
const LETTER = 120;

/** What a datagram costs, by how many come, from how many, and how long. */
export const curves: Group = {
  name: "curves",
  title: "CPU time and memory by rate, peers and size",
  isOnRequest: true,
  tables: [{
    rows: "what is done, and how",
    metric: "micros",
    columns: [
      column("CPU µs each", "micros", micros),
      column("MB at most", "bytes", megabytes),
      column("datagrams/s", "perSecond", rate),
    ],
  }],
  cases: (Object.keys(SERIES) as Series[]).flatMap((series) =>
    allPoints().map((point): Case => {
      const { implementation, label, inRuns } = SERIES[series];
      const peer = inRuns ? "gso" : "mmsg";
      return {
        ...{ size: point.size, implementation },
        needs: [peer, implementation],
        label: `${label}, ${labelOf(point)}`,
        id: idOf(series, point),
        measure: (start, seconds) => MEASURES[series](start, point, seconds),
      };
    })
  ),
};

type Measure = (
  start: Start,
  point: Point,
  seconds: number,
) => Promise<Figures>;

const MEASURES: Readonly<Record<Series, Measure>> = {
  receive: receiving("pli", "receive", "mmsg"),
  batches: receiving("offload", "batches", "mmsg"),
  runs: receiving("offload", "runs-reuse", "gso"),
  send: sending("pli", "paced", "mmsg"),
  sendMany: sending("offload", "paced", "mmsg"),
  sendRun: sending("offload", "paced-runs", "gso"),
  store: storing("plain"),
  fast: storing("fast"),
};

/** A C program sends from hosts in turn: one datagram at a time, or runs. */
function receiving(
  name: "pli" | "offload",
  role: string,
  sender: "mmsg" | "gso",
): Measure {
  return async (start, { rate, peers, size }, seconds) => {
    const figures = await throughput(
      ...[start, [sender, "from-many", peers, rate], [name, role]] as const,
      ...[size, seconds] as const,
    );
    return {
      micros: figure(figures, "receiverMicros"),
      bytes: figure(figures, "floodBytes"),
      perSecond: figure(figures, "received"),
    };
  };
}

/** A C program receives, one datagram at a time or runs, and only counts. */
function sending(
  name: "pli" | "offload",
  role: string,
  receiver: "mmsg" | "gso",
): Measure {
  return async (start, { rate, peers, size }, seconds) => {
    const figures = await throughput(
      ...[start, [name, role, peers, rate], [receiver, "count-many"]] as const,
      ...[size, seconds] as const,
    );
    return {
      micros: figure(figures, "senderMicros"),
      bytes: figure(figures, "senderBytes"),
      perSecond: figure(figures, "sent"),
    };
  };
}

/** The server stores what the C program sends. */
function storing(by: "plain" | "fast"): Measure {
  return async (start, { rate, peers, size }, seconds) => {
    await using server = await startStore(by);
    const args = [size, seconds, server.port, peers, rate, LETTER];
    await using _sender = start("mmsg", "from-many", ...args);
    // Its totals are read as they come: those that wait would be old.
    const totalsAfter = async (ms: number) => {
      const from = performance.now();
      for (;;) {
        const { received } = await server.totals();
        const time = performance.now();
        if (received === 0 || time - from < ms) continue;
        return { received, time, ...await used(server.pid) };
      }
    };
    const before = await totalsAfter(WARM_UP_MS);
    const after = await totalsAfter(atLeast(LEAST_MS / 1000, seconds) * 1000);
    const received = after.received - before.received;
    return {
      micros: (after.cpuMicros - before.cpuMicros) / received,
      bytes: after.mostBytes,
      perSecond: received / (after.time - before.time) * 1000,
    };
  };
}
