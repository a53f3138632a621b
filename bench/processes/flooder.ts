// Sends datagrams as fast as it can. Prints by what means.
//
//   flooder.ts PORT SECONDS
import { at, rawSocket, SIZE } from "../lib/datagrams.ts";
import { openFlood } from "../lib/flood.ts";
import { endAfter } from "../lib/window.ts";

const [port, seconds] = Deno.args.map(Number);
const until = performance.now() + seconds * 1000;
endAfter(seconds + 1);

let flood: ((until: number) => void) | undefined;
try {
  flood = openFlood(port);
} catch {
  // Not Linux, or an old one: one call a datagram then.
}
console.log(JSON.stringify(flood ? "UDP_SEGMENT" : "conn.send"));
if (flood === undefined) await sendEach(until);
else flood(until);

async function sendEach(until: number): Promise<void> {
  const conn = rawSocket();
  const data = new Uint8Array(SIZE);
  while (performance.now() < until) await conn.send(data, at(port));
  conn.close();
}
