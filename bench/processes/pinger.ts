// Sends a datagram, waits for its echo, and so on. Prints how long that took.
//
//   pinger.ts raw|ours PORT SECONDS
import { connect } from "../../mod.ts";
import { at, rawSocket, SIZE } from "../lib/datagrams.ts";
import { endAfter } from "../lib/window.ts";

const WARM_UP_MS = 500;

const [subject, port, seconds] = Deno.args;
const to = at(Number(port));
const data = new Uint8Array(SIZE);
endAfter(Number(seconds) + 20);

if (subject === "raw") {
  const conn = rawSocket();
  const buffer = new Uint8Array(65_536);
  await report(async () => {
    await conn.send(data, to);
    await conn.receive(buffer);
  });
} else {
  const socket = await connect(to);
  await report(async () => {
    await socket.send(data);
    await socket.receive();
  });
}
Deno.exit(0);

async function report(roundTrip: () => Promise<void>): Promise<void> {
  const micros: number[] = [];
  const start = performance.now() + WARM_UP_MS;
  const end = start + Number(seconds) * 1000;
  for (let before = performance.now(); before < end;) {
    await roundTrip();
    const after = performance.now();
    if (before >= start) micros.push((after - before) * 1000);
    before = after;
  }
  micros.sort((a, b) => a - b);
  const percentile = (p: number) => micros[Math.floor(micros.length * p / 100)];
  console.log(JSON.stringify({ p50: percentile(50), p99: percentile(99) }));
}
