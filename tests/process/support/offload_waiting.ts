// Many offload sockets that wait: what the rest of the program can still do.
//
//   offload_waiting.ts COUNT IDLE_MS
//
// Prints a line of JSON: which sockets received, whether files and names could
// be read, the CPU time while nothing happened, and round trips in milliseconds
// of one pair, alone and while another of the sockets is flooded.
import { cpuUsage } from "node:process";
import { bind, connect } from "../../../mod.ts";
import { offload } from "../../../lib/carriers/offload.ts";
import { fast as flood } from "./offload_flood.ts";

const [count = 1, idleMs = 0] = Deno.args.map(Number);
const LOOPBACK = "udp://127.0.0.1:0";
const carrier = offload();

const sockets = Array.from(
  { length: count },
  () => bind(LOOPBACK, { carrier }),
);
const received = Promise.all(sockets.map((socket) => socket.receive()));
await sleep(100);

const before = cpuMs();
await sleep(idleMs);
const idle = cpuMs() - before;

const file = (await Deno.readTextFile(new URL(import.meta.url))).length;
await using named = await connect(`udp://localhost:${sockets[0]!.addr.port}`, {
  carrier,
});
await named.send("x");
await using client = bind(LOOPBACK, { carrier });
for (const { addr } of sockets.slice(1)) await client.send("x", addr);
const texts = (await received).map((datagram) => datagram.text());

// All wait again, one more answers, and one is flooded by another process.
for (const socket of sockets) socket.receive().catch(() => {});
await using echo = bind(LOOPBACK, { carrier });
const answering = (async () => {
  for await (const { data, from } of echo) await echo.send(data, from);
})();
await using pinger = await connect(echo.addr, { carrier });
const alone = await roundTrips();
await using flooded = bind(LOOPBACK, { carrier });
let floods = 0;
const draining = (async () => {
  for await (const batch of flooded.batches()) floods += batch.length;
})();
const stop = await flood(flooded.addr);
const beside = await roundTrips();
await stop();

for (const socket of [echo, flooded, ...sockets]) socket.close();
await Promise.all([answering, draining]);
console.log(JSON.stringify({
  received: texts.filter((text) => text === "x").length,
  file,
  idle,
  alone,
  beside,
  floods,
}));

async function roundTrips(): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 300; n++) {
    const start = performance.now();
    await pinger.send(`${n}`);
    await pinger.receive({ timeoutMs: 10_000 });
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[150] ?? NaN;
}

function cpuMs(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
