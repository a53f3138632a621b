// Receives a flood with a handler that takes 0.2 ms per datagram, and prints the
// longest time between two ticks of a timer of 20 ms, in milliseconds.
//
//   offload_slow_handler.ts serve|iterate|batches|reuse|receive
import { bind, serve } from "../../../mod.ts";
import { offload } from "../../../lib/carriers/offload.ts";
import { fast as flood } from "./offload_flood.ts";

const MS = 2000;
const AT = "udp://127.0.0.1:0";
const options = { carrier: offload() };
let handled = 0;

function work(): void {
  handled++;
  for (const end = performance.now() + 0.2; performance.now() < end;);
}

const [how] = Deno.args;
const socket = how === "serve" ? serve(AT, work, options) : bind(AT, options);
if ("receive" in socket) loop(socket);
async function loop(socket: ReturnType<typeof bind>): Promise<void> {
  switch (how) {
    case "iterate":
      for await (const _ of socket) work();
      return;
    case "receive":
      for (;;) {
        await socket.receive();
        work();
      }
    default:
      for await (const batch of socket.batches({ reuse: how === "reuse" })) {
        for (const _ of batch) work();
      }
  }
}
await flood(socket.addr as Deno.NetAddr);
let last = performance.now();
let longest = 0;
setInterval(() => {
  const now = performance.now();
  longest = Math.max(longest, now - last);
  last = now;
}, 20);
setTimeout(() => {
  console.log(JSON.stringify({ longest, handled }));
  Deno.exit();
}, MS);
