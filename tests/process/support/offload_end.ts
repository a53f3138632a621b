// Prints the time at which nothing is left to wait for, and should then end.
//
//   offload_end.ts close|unref|timeout
import { bind } from "../../../mod.ts";
import { offload } from "../../../lib/carriers/offload.ts";

const socket = bind("udp://127.0.0.1:0", { carrier: offload() });
const other = bind("udp://127.0.0.1:0", { carrier: offload() });
const [what] = Deno.args;
const timeoutMs = what === "timeout" ? 50 : undefined;
for (const waiting of [socket, other]) {
  waiting.receive({ timeoutMs }).catch(() => {});
}
// Long enough for a thread to sleep.
await new Promise((resolve) => setTimeout(resolve, 60));
for (const waiting of [socket, other]) {
  if (what === "close") waiting.close();
  if (what === "unref") waiting.unref();
}
console.log(Date.now());
