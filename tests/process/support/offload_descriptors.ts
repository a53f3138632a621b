// Prints how many descriptors are open after sockets were closed and workers were
// ended, as JSON.
//
//   offload_descriptors.ts offload|udp [CLOSED ENDED]
//
// Waits until there are no more than those two numbers; without them, until there
// are as many as before.
import { bind, connect } from "../../../mod.ts";
import { offload } from "../../../lib/carriers/offload.ts";

const script = new URL("./offload_worker.ts", import.meta.url);
const isUdp = Deno.args[0] === "udp";
const [mostClosed, mostEnded] = Deno.args.slice(1).map(Number);
const options = { carrier: isUdp ? undefined : offload() };
const sleep = (ms: number) => new Promise((go) => setTimeout(go, ms));

const worker = () =>
  new Promise<Worker>((resolve) => {
    const worker = new Worker(script, { type: "module" });
    worker.onmessage = () => resolve(worker);
    worker.postMessage({ port: 0, isUdp });
  });

for (let round = 0; round < 10; round++) {
  const bound = () => bind("udp://127.0.0.1:0", options);
  const first = bound();
  const sockets = [first, ...Array.from({ length: 9 }, bound)];
  await using client = await connect(first.addr, options);
  for (const socket of sockets) socket.receive().catch(() => {});
  await client.send("x");
  await sleep(5);
  for (const socket of sockets) socket.close();
}
const closed = await open(mostClosed);
const workers = await Promise.all(Array.from({ length: 10 }, worker));
for (const worker of workers) worker.terminate();
console.log(JSON.stringify({ closed, ended: await open(mostEnded) }));

/** Counts descriptors of the carriers' kinds when enough of them are closed. */
async function open(most?: number): Promise<number> {
  for (let last = Infinity;;) {
    // Longer than a thread waits.
    await sleep(most === undefined ? 1500 : 50);
    const names = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) =>
      name
    );
    const count = names.filter(isOurs).length;
    if (most === undefined ? count === last : count <= most) return count;
    last = count;
  }
}

function isOurs(name: string): boolean {
  try {
    const target = Deno.readLinkSync(`/proc/self/fd/${name}`);
    return /socket:|eventpoll|eventfd/.test(target);
  } catch {
    // It was closed meanwhile, as the one of the folder itself.
    return false;
  }
}
