// Prints how many descriptors are open after sockets were closed and workers were
// ended, as JSON.
//
//   offload_descriptors.ts offload|udp
import { bind, connect } from "../../../mod.ts";
import { offload } from "../../../lib/carriers/offload.ts";

const script = new URL("./offload_worker.ts", import.meta.url);
const isUdp = Deno.args[0] === "udp";
const options = { carrier: isUdp ? undefined : offload() };
const open = () => [...Deno.readDirSync("/proc/self/fd")].length;
const sleep = (ms: number) => new Promise((go) => setTimeout(go, ms));

const worker = () =>
  new Promise<Worker>((resolve) => {
    const worker = new Worker(script, { type: "module" });
    worker.onmessage = () => resolve(worker);
    worker.postMessage({ port: 0, isUdp });
  });

for (let round = 0; round < 10; round++) {
  const sockets = Array.from(
    { length: 10 },
    () => bind("udp://127.0.0.1:0", options),
  );
  await using client = await connect(sockets[0].addr, options);
  for (const socket of sockets) socket.receive().catch(() => {});
  await client.send("x");
  await sleep(5);
  for (const socket of sockets) socket.close();
}
await sleep(200);
const closed = open();
const workers = await Promise.all(Array.from({ length: 10 }, worker));
for (const worker of workers) worker.terminate();
// Longer than a thread waits.
await sleep(1500);
console.log(JSON.stringify({ closed, ended: open() }));
