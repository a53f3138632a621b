// Sends so many datagrams at an even rate, as fast as it can where that is 0.
//
//   pacer.ts PORT COUNT PER_SECOND [plain|fast]
import { connect } from "../../mod.ts";
import { offload } from "../../lib/carriers/offload.ts";
import { at, rawSocket, SIZE } from "../lib/datagrams.ts";

const [port, count, perSecond] = Deno.args.map(Number);
const to = at(port);
const data = new Uint8Array(SIZE);
await using conn = Deno.args[3] === "fast" ? await fast() : plain();
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
  const n = Math.ceil(until - sent);
  await conn.send(n);
  sent += n;
  if (sent < count) Atomics.wait(cell, 0, 0, 0.8);
}
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ sent: count, perSecond: count / seconds }));

/** One call a datagram. */
function plain() {
  const conn = rawSocket();
  return {
    async send(n: number) {
      for (; n > 0; n--) await conn.send(data, to);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(conn.close()),
  };
}

/** Many a call. */
async function fast() {
  const socket = await connect(to, { carrier: offload() });
  return {
    send: (n: number) => socket.sendMany(Array<Uint8Array>(n).fill(data)),
    [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
  };
}
