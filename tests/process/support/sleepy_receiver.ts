// A receiver that sleeps, wakes, reads a little and sleeps again, until its
// standard input ends. Then it reads what is left and reports in one line.
import { bind } from "../../../mod.ts";

const AWAKE = 5_000;
const ASLEEP_MS = 20;

await using socket = bind("127.0.0.1:0");
console.error(`listening on 127.0.0.1:${socket.addr.port}`);

let told = false;
const end = Deno.stdin.readable.pipeTo(new WritableStream())
  .then(() => told = true);
let rss = 0;
while (!told) {
  for (let n = 0; n < AWAKE && await socket.tryReceive(); n++);
  rss = Math.max(rss, Deno.memoryUsage().rss);
  await new Promise((wake) => setTimeout(wake, ASLEEP_MS));
}
await end;
while (await socket.tryReceive());
const { received, waiting, dropped } = socket.stats;
const kernelDrops = await socket.kernelDrops();
console.log(JSON.stringify({ received, waiting, dropped, kernelDrops, rss }));
