// A million datagrams from a million sources, to a server that limits each one.
// Prints its counts and the size of the process.
import { serve } from "../../../mod.ts";

const SOURCES = 1_000_000;

let n = 0;
let rssAtHalf = 0;
const { promise, resolve } = Promise.withResolvers<void>();
const carrier = {
  addr: { transport: "udp", hostname: "0.0.0.0", port: 62_000 } as const,
  async receive(buffer: Uint8Array<ArrayBuffer>) {
    if (n === SOURCES / 2) rssAtHalf = Deno.memoryUsage().rss;
    if (n % 1000 === 0) await new Promise((turn) => setImmediate(turn));
    const hostname = `10.${n >> 16}.${n >> 8 & 255}.${n & 255}`;
    if (n++ === SOURCES) {
      resolve();
      await new Promise(() => {});
    }
    return [buffer.subarray(0, 100), {
      transport: "udp",
      hostname,
      port: 1 + n % 60_000,
    }] as [Uint8Array<ArrayBuffer>, Deno.NetAddr];
  },
  send: (data: Uint8Array) => Promise.resolve(data.length),
  close: () => {},
};
const server = serve("udp://0.0.0.0:62000", ({ data }) => data, {
  carrier: { listen: () => carrier as unknown as Deno.DatagramConn },
  deny: ["10.0.1.0/24"],
  rateLimit: 1,
});
await promise;
const { received, sent, dropped, withheld } = server.stats;
const { rss } = Deno.memoryUsage();
console.log(
  JSON.stringify({ received, sent, dropped, withheld, rssAtHalf, rss }),
);
Deno.exit();
