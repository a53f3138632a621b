// How fast messages are published to a NATS broker of this machine.
import { run } from "./lib/bench.ts";
import { Child, denoProgram } from "./lib/child.ts";
import type { Throughput } from "./peers/meter.mjs";

await run({
  script: "nats.ts",
  about: "Publishing 100-byte messages to nats-server with JetStream.",
  flags: "--allow-run=nats-server --allow-read --allow-write",
  subjects: {
    raw: "(a) client.publish, 512 in flight",
    memory: "(b) the sink, from memory",
    backlog: "(c) the sink, from a backlog",
  },
  figures: { perSecond: "messages/s", cpuMicros: "CPU µs each" },
  targets: [
    {
      what: "rate (b)/(a)",
      figure: "perSecond",
      subject: "memory",
      base: "raw",
      atLeast: 0.9,
    },
    {
      what: "rate (c)/(a)",
      figure: "perSecond",
      subject: "backlog",
      base: "raw",
      atLeast: 0.9,
    },
  ],
  async measure(subject, seconds) {
    const folder = await Deno.makeTempDir({ prefix: "pli-nats-" });
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const host = `127.0.0.1:${listener.addr.port}`;
    listener.close();
    const broker = new Deno.Command("nats-server", {
      args: ["-a", "127.0.0.1", "-p", host.split(":")[1], "-js", "-sd", folder],
      stdin: "null",
      stderr: "null",
    }).spawn();
    try {
      await reachable(host);
      const url = `nats://${host}/pli`;
      await using child = new Child(
        denoProgram("processes/nats_publisher.ts"),
        ...[subject, url, seconds],
      );
      return await child.next<Pick<Throughput, "perSecond" | "cpuMicros">>();
    } finally {
      broker.kill();
      await broker.status;
      await Deno.remove(folder, { recursive: true });
    }
  },
});

async function reachable(host: string): Promise<void> {
  const [hostname, port] = host.split(":");
  for (let tries = 0; tries < 200; tries++) {
    try {
      (await Deno.connect({ hostname, port: Number(port) })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  throw new Error("Cannot measure: nats-server did not start");
}
