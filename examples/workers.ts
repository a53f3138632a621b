// Counts datagrams on several cores, or hashes them: each worker has its own socket
// on the same port, and the system distributes the peers among them. Linux only.
//
//   deno run --allow-net=127.0.0.1 --allow-ffi --allow-read=. \
//     examples/workers.ts [ADDRESS] [WORKERS] [batches|runs|hashes]
//
// Ctrl-C stops it: each worker closes its socket, and the counts are added up.

import { hash } from "node:crypto";
import { once } from "node:events";
import process from "node:process";
import {
  isMainThread,
  parentPort,
  Worker,
  workerData,
} from "node:worker_threads";
import { bind, type Datagram, formatAddress } from "@pli/datagram";
import { offload } from "@pli/datagram/offload";

const carrier = offload({ reusePort: true });

/** Receives until the first message of the main thread, then posts its stats. */
async function receive({ address, by }: Record<string, string>) {
  await using socket = bind(address!, { carrier });
  const received = by === "runs" ? socket.runs() : socket.batches();
  parentPort!.once("message", () => received.return?.());
  parentPort!.postMessage("listening");
  for await (const many of received) {
    const hashed = by === "hashes" ? many as Datagram[] : [];
    for (const { data } of hashed) hash("sha256", data);
  }
  // Datagrams that have already arrived still count.
  while (await socket.tryReceive() !== undefined);
  parentPort!.postMessage(socket.stats.received);
}

/** Starts the workers, waits for Ctrl-C and adds up their counts. */
async function main() {
  const [at = "udp://127.0.0.1:0", workers = "2", by] = Deno.args;
  // Holds the port that the system chose until the workers share it.
  const first = bind(at, { carrier });
  const address = formatAddress(first.addr);
  const all = Array.from(
    { length: Number(workers) },
    () => new Worker(new URL(import.meta.url), { workerData: { address, by } }),
  );
  await Promise.all(all.map((worker) => once(worker, "message")));
  await first[Symbol.asyncDispose]();
  const interrupted = once(process, "SIGINT");
  console.error(`listening on ${first.addr.port}`);
  await interrupted;
  const received = await Promise.all(all.map(async (worker) => {
    worker.postMessage("stop");
    return (await once(worker, "message"))[0] as number;
  }));
  console.log(`${received.join(" + ")} = ${received.reduce((a, b) => a + b)}`);
  Deno.exit(0);
}

await (isMainThread ? main() : receive(workerData));
