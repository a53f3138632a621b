import { Child, denoProgram, NET } from "../lib/child.ts";
import { SIZE } from "../lib/datagrams.ts";
import { column, megabytes, micros, percent, rate } from "../lib/format.ts";
import type { Figures, Group } from "../lib/group.ts";
import { startStore } from "../lib/store_server.ts";
import { used } from "../lib/used.ts";

// Per second: an even rate, and as fast as one sender can.
const RATES = [50_000, 0];
// The most messages of one measurement: they are written to the disk.
const MOST = 2_000_000;
// The server needs it to empty the buffer of its socket.
const SETTLE_MS = 100;

/** The program `server.ts` stores what it receives. */
export const store: Group = {
  name: "store",
  title: "The server with --store",
  tables: [{
    rows: "server and sender, messages offered",
    metric: "stored",
    columns: [
      column("stored/s", "stored", rate),
      column("sent/s", "sent", rate),
      column("stored of what was sent", "storedShare", percent),
      column("received, not stored", "notStored", rate),
      column("not received", "lost", rate),
      column("CPU µs each", "cpuMicros", micros),
      column("MB at most", "floodBytes", megabytes),
    ],
  }],
  cases: ([
    ["plain", "pli", "Pli"],
    ["fast", "offload", "Pli with --fast"],
  ] as const).flatMap(([by, implementation, label]) =>
    RATES.map((perSecond) => {
      const pace = perSecond === 0 ? "unlimited" : `${rate(perSecond)}/s`;
      return {
        ...{ size: SIZE, implementation, needs: [implementation] },
        label: `${label}, ${pace}`,
        id: `store ${by}, ${perSecond}`,
        measure: (_, seconds) => measure(by, perSecond, seconds),
      };
    })
  ),
};

async function measure(
  by: "plain" | "fast",
  perSecond: number,
  seconds: number,
): Promise<Figures> {
  await using server = await startStore(by);
  const before = await used(server.pid);
  const count = perSecond === 0 ? MOST : Math.min(MOST, perSecond * seconds);
  await using sender = new Child([
    ...denoProgram("processes/pacer.ts", [NET, "--allow-ffi"]),
    ...[server.port, count, perSecond, by, seconds],
  ]);
  const sent = await sender.next<{ sent: number; perSecond: number }>();
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const after = await used(server.pid);
  const { received, stored, notStored, seconds: flushed } = await server.end();
  return {
    stored: stored / (sent.sent / sent.perSecond + flushed),
    sent: sent.perSecond,
    storedShare: stored / sent.sent,
    ...{ notStored, lost: sent.sent - received },
    cpuMicros: (after.cpuMicros - before.cpuMicros) / received,
    floodBytes: after.mostBytes,
  };
}
