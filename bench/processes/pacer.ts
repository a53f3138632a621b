// Sends so many datagrams at an even rate, as fast as it can where that is 0.
//
//   pacer.ts PORT COUNT PER_SECOND
import { at, rawSocket, SIZE } from "../lib/datagrams.ts";

const [port, count, perSecond] = Deno.args.map(Number);
const to = at(port);
const data = new Uint8Array(SIZE);
const conn = rawSocket();
// A timer would wake it every 2 ms, with twice as much to send at once.
const cell = new Int32Array(new SharedArrayBuffer(4));
// Nor more at once when it is late: no burst that fills a buffer of 256.
const most = perSecond === 0 ? count : Math.ceil(1.5 * perSecond / 1000);
const start = performance.now();
for (let sent = 0; sent < count;) {
  const due = perSecond === 0
    ? count
    : Math.min(count, (performance.now() - start) * perSecond / 1000);
  const until = Math.min(due, sent + most);
  for (; sent < until; sent++) await conn.send(data, to);
  if (sent < count) Atomics.wait(cell, 0, 0, 0.8);
}
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ sent: count, perSecond: count / seconds }));
conn.close();
