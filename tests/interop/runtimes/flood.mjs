// Receives a flood slowly, on any runtime, and prints what became of it.
//
//   flood.mjs CORE SENDERS_END_FILE... : see tests/interop/dgram_floods.ts
import process from "node:process";

const { bind, dgram } = await import(process.argv[2]);

const LIMITS = { maxWaiting: 1000, maxWaitingBytes: 1024 * 1024 };
// Each is received after a pause, so that most of a flood cannot wait.
const PAUSE_MS = 1;

const socket = bind("udp://127.0.0.1:0", { carrier: dgram(LIMITS) });
await socket.opened;
console.log(JSON.stringify({ port: socket.addr.port }));
const before = process.memoryUsage().rss;
let most = before;
let ended = 0;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
// The last datagrams are marked, and sent until one arrives.
for (let n = 0; ended === 0; n++) {
  const datagram = await socket.receive({ timeoutMs: 20_000 });
  if (datagram.data.length === 1) ended++;
  if (n % 10 === 0) {
    await wait(PAUSE_MS);
    most = Math.max(most, process.memoryUsage().rss);
  }
}
const system = await socket.kernelDrops();
const { received, waiting, dropped } = socket.stats;
console.log(
  JSON.stringify({ received, waiting, dropped, system, grown: most - before }),
);
await socket[Symbol.asyncDispose]();
console.log(JSON.stringify(socket.stats.dropped));
