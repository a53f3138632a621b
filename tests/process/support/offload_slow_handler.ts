// Receives a flood with a handler that takes 0.2 ms per datagram, and prints how
// many datagrams it handles between two ticks of a timer of 20 ms, at most, and
// in all.
//
//   offload_slow_handler.ts serve|iterate|batches|reuse|receive
import { bind, serve } from "../../../mod.ts";
import { offload } from "../../../lib/carriers/offload.ts";
import { fast as flood } from "./offload_flood.ts";

const TICKS = 100;
const ENOUGH = 100;
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
let last = handled;
let most = 0;
let ticks = 0;
setInterval(() => {
  most = Math.max(most, handled - last);
  last = handled;
  if (++ticks < TICKS || handled < ENOUGH) return;
  console.log(JSON.stringify({ most, handled }));
  Deno.exit();
}, 20);
