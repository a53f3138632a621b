import { Child, denoProgram, temporaryFolder } from "../lib/child.ts";
import { SIZE } from "../lib/datagrams.ts";
import { column, micros, rate } from "../lib/format.ts";
import type { Figures, Group, Start } from "../lib/group.ts";
import type { Throughput } from "../peers/meter.mjs";

/** Messages are published to a broker of this machine. */
export const nats: Group = {
  name: "nats",
  title: "Publishing to nats-server with JetStream",
  tables: [{
    rows: "publisher",
    metric: "perSecond",
    columns: [
      column("messages/s", "perSecond", rate),
      column("CPU µs each", "cpuMicros", micros),
    ],
  }],
  targets: ["memory", "backlog"].map((from) => ({
    what: `NATS sink from ${from} / NATS client`,
    ...{ metric: "perSecond", subject: `nats ${from}`, base: "nats raw" },
    atLeast: 0.9,
  })),
  cases: ([
    ["raw", "nats-server", "NATS client, 512 messages in flight"],
    ["memory", "pli", "Pli, sink from memory"],
    ["backlog", "pli", "Pli, sink from a backlog"],
  ] as const).map(([subject, implementation, label]) => ({
    ...{ size: SIZE, label, implementation, needs: ["nats-server"] },
    id: `nats ${subject}`,
    measure: (start, seconds) => measure(start, subject, seconds),
  })),
};

async function measure(
  start: Start,
  subject: string,
  seconds: number,
): Promise<Figures> {
  await using folder = await temporaryFolder();
  await using broker = start(
    "nats-server",
    ...["-a", "127.0.0.1", "-p", -1, "-js", "-sd", folder.path],
  );
  const [, port] = await broker.logged(/client connections on .*:(\d+)$/);
  await broker.logged(/Server is ready/);
  await using publisher = new Child([
    ...denoProgram("processes/nats_publisher.ts"),
    ...[subject, `nats://127.0.0.1:${port}/pli`, seconds],
  ]);
  const { perSecond, cpuMicros } = await publisher.next<Throughput>();
  return { perSecond, cpuMicros };
}
