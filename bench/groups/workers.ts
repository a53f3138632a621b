import { Child, denoProgram, NET } from "../lib/child.ts";
import { SIZE } from "../lib/datagrams.ts";
import { column, micros, percent, rate, ratio } from "../lib/format.ts";
import type { Case, Figures, Group, Start } from "../lib/group.ts";
import { atLeast } from "../lib/least.ts";
import { used } from "../lib/used.ts";

// The system distributes hosts among the workers.
const HOSTS = 1000;
// How the workers receive, and how many datagrams are sent per second: more than
// one worker takes by hashes, and about as many by batches.
const WORK = [["batches", 8e6], ["runs", 8e6], ["hashes", 2e6]] as const;
// The example counts from its start on, so the start has to matter little.
const LEAST_SECONDS = 2;

/** A C program sends with GSO, at an even rate, to the example `workers.ts`. */
export const workers: Group = {
  name: "workers",
  title: "Receiving in workers that share a port, on two cores",
  tables: [{
    rows: "workers",
    metric: "received",
    columns: [
      column("received/s", "received", rate),
      column("of what was sent", "share", percent),
      column("CPU µs each", "micros", micros),
      column("cores", "cores", ratio),
      column("cores of the sender", "senderCores", ratio),
      column("fewest by one / most by one", "evenness", ratio),
    ],
  }],
  cases: WORK.flatMap(([by, perSecond]) =>
    [1, 2].map((count): Case => ({
      ...{ size: SIZE, implementation: "offload", needs: ["gso", "offload"] },
      label: `${count}, ${by}, of ${rate(perSecond)}/s`,
      id: `workers ${count}, ${by}`,
      measure: (start, seconds) =>
        measure(start, count, by, perSecond, atLeast(LEAST_SECONDS, seconds)),
    }))
  ),
};

async function measure(
  start: Start,
  count: number,
  by: string,
  perSecond: number,
  seconds: number,
): Promise<Figures> {
  await using receiver = new Child([
    ...denoProgram("../examples/workers.ts", [
      ...[NET, "--allow-ffi", "--allow-read=."],
    ]),
    ...["udp://127.0.0.1:0", count, by],
  ]);
  const [, port = ""] = await receiver.logged(/^listening on (\d+)$/);
  const before = await used(receiver.pid);
  const begin = performance.now();
  let sent: { perSecond: number; cores: number };
  {
    const args = [SIZE, seconds, port, HOSTS, perSecond];
    await using sender = start("gso", "from-many", ...args);
    sent = await sender.next();
  }
  const elapsed = (performance.now() - begin) / 1000;
  const after = await used(receiver.pid);
  receiver.interrupt();
  // It prints "1 + 2 = 3".
  const [each = "", all = ""] = (await receiver.line()).split(" = ");
  const byWorker = each.split(" + ").map(Number);
  const cpu = after.cpuMicros - before.cpuMicros;
  return {
    received: Number(all) / elapsed,
    share: Number(all) / elapsed / sent.perSecond,
    senderCores: sent.cores,
    micros: cpu / Number(all),
    cores: cpu / 1e6 / elapsed,
    evenness: Math.min(...byWorker) / Math.max(...byWorker),
  };
}
