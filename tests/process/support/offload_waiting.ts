// Many offload sockets that wait: what the rest of the program can still do.
//
//   offload_waiting.ts COUNT
//
// Says "waiting" on standard error when nothing happens any more, and goes on at
// the end of standard input. Prints a line of JSON then: how many sockets
// received, the size of a file, how many round trips a pair made while another
// socket was flooded, and how many datagrams of the flood that one received.
import { bind, connect } from "../../../mod.ts";
import { offload } from "../../../lib/carriers/offload.ts";
import { fast as flood } from "./offload_flood.ts";

const count = Number(Deno.args[0]);
const LOOPBACK = "udp://127.0.0.1:0";
const carrier = offload();

const sockets = Array.from(
  { length: count },
  () => bind(LOOPBACK, { carrier }),
);
const received = Promise.all(sockets.map((socket) => socket.receive()));
console.error("waiting");
for await (const _ of Deno.stdin.readable);

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
await using flooded = bind(LOOPBACK, { carrier });
let floods = 0;
const draining = (async () => {
  for await (const batch of flooded.batches()) floods += batch.length;
})();
const stop = await flood(flooded.addr);
let beside = 0;
while (beside < 300 || floods < 1000) {
  await pinger.send(`${beside}`);
  await pinger.receive({ timeoutMs: 30_000 });
  beside++;
}
await stop();

for (const socket of [echo, flooded, ...sockets]) socket.close();
await Promise.all([answering, draining]);
console.log(JSON.stringify({
  received: texts.filter((text) => text === "x").length,
  file,
  beside,
  floods,
}));
