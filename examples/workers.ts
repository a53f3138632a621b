// A counter of datagrams on several cores: each worker has its own socket on the
// one port, and the system spreads the peers over them. Linux only.
//
//   deno run --allow-net=127.0.0.1 --allow-ffi --allow-read=. \
//     examples/workers.ts [ADDRESS] [WORKERS]
//
// Ctrl-C ends it: each worker closes, and what they counted is added up.

import { once } from "node:events";
import {
  isMainThread,
  parentPort,
  Worker,
  workerData,
} from "node:worker_threads";
import { bind, type SocketStats } from "@pli/datagram";
import { offload } from "@pli/datagram/offload";

const carrier = offload({ reusePort: true });

/** Receives until it is told to stop, then says what it counted. */
async function receive(address: string): Promise<void> {
  await using socket = bind(address, { carrier });
  const batches = socket.batches();
  parentPort!.once("message", () => batches.return?.());
  parentPort!.postMessage("listening");
  for await (const batch of batches) void batch.length;
  // What is here already still counts.
  while (await socket.tryReceive() !== undefined);
  parentPort!.postMessage(socket.stats);
}

/** Starts the workers, waits for Ctrl-C, adds up. */
async function main(address = "udp://127.0.0.1:0", workers = "2") {
  // Keeps the port that the system chose until the workers share it.
  const first = bind(address, { carrier });
  const { hostname, port } = first.addr;
  const all = Array.from(
    { length: Number(workers) },
    () =>
      new Worker(new URL(import.meta.url), {
        workerData: `udp://${hostname}:${port}`,
      }),
  );
  await Promise.all(all.map((worker) => once(worker, "message")));
  await first[Symbol.asyncDispose]();
  console.error(`listening on ${port}`);

  await new Promise<void>((stop) => Deno.addSignalListener("SIGINT", stop));
  const stats = await Promise.all(all.map(async (worker) => {
    worker.postMessage("stop");
    return (await once(worker, "message"))[0] as SocketStats;
  }));
  const received = stats.map((of) => of.received);
  console.log(`${received.join(" + ")} = ${received.reduce((a, b) => a + b)}`);
  Deno.exit(0);
}

await (isMainThread ? main(...Deno.args) : receive(workerData));
