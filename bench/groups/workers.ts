import { Child, denoProgram, NET } from "../lib/child.ts";
import { SIZE } from "../lib/datagrams.ts";
import { column, micros, rate, ratio } from "../lib/format.ts";
import type { Figures, Group, Start } from "../lib/group.ts";
import { used } from "../lib/used.ts";

// The system distributes hosts among the workers.
const HOSTS = 64;
// The example counts from its start on, so the start has to matter little.
const LEAST_SECONDS = 2;

/** A C program sends with GSO to the example `workers.ts`. */
export const workers: Group = {
  name: "workers",
  title: "Receiving in workers that share a port",
  tables: [{
    rows: "workers",
    metric: "received",
    columns: [
      column("received/s", "received", rate),
      column("CPU µs each", "micros", micros),
      column("cores", "cores", ratio),
      column("fewest by one / most by one", "evenness", ratio),
    ],
  }],
  cases: [1, 2].map((count) => ({
    ...{ size: SIZE, implementation: "offload", needs: ["gso", "offload"] },
    label: `${count}, batches`,
    id: `workers ${count}`,
    measure: (start, seconds) =>
      measure(start, count, Math.max(seconds, LEAST_SECONDS)),
  })),
};

async function measure(
  start: Start,
  count: number,
  seconds: number,
): Promise<Figures> {
  await using receiver = new Child([
    ...denoProgram("../examples/workers.ts", [
      ...[NET, "--allow-ffi", "--allow-read=."],
    ]),
    ...["udp://127.0.0.1:0", count],
  ]);
  const [, port = ""] = await receiver.logged(/^listening on (\d+)$/);
  const before = await used(receiver.pid);
  const begin = performance.now();
  {
    const args = [SIZE, seconds, port, HOSTS];
    await using sender = start("gso", "from-many", ...args);
    await sender.next();
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
    micros: cpu / Number(all),
    cores: cpu / 1e6 / elapsed,
    evenness: Math.min(...byWorker) / Math.max(...byWorker),
  };
}
