// Sends datagrams at an even rate, or as fast as it can if PER_SECOND is 0. Ends
// after COUNT datagrams or after SECONDS. Prints what it sent.
//
//   pacer.ts PORT COUNT PER_SECOND [plain|fast [SECONDS]]
import { connect } from "../../mod.ts";
import { offload } from "../../lib/carriers/offload.ts";
import { at, rawSocket, SIZE } from "../lib/datagrams.ts";

// Sent at once if there is no rate.
const MANY = 1024;

const [port = NaN, count = NaN, perSecond = NaN] = Deno.args.map(Number);
const [, , , by, seconds = Infinity] = Deno.args;
const to = at(port);
const data = new Uint8Array(SIZE);
await using sender = by === "fast" ? await fast() : plain();
// A timer would wake it every 2 ms, with twice as much to send at once.
const cell = new Int32Array(new SharedArrayBuffer(4));
// When it is late it catches up in steps: a burst could fill a buffer of 256.
const most = perSecond === 0 ? MANY : Math.ceil(1.5 * perSecond / 1000);
const start = performance.now();
let sent = 0;
let elapsed = 0;
while (sent < count && elapsed < Number(seconds)) {
  const due = perSecond === 0 ? count : Math.min(count, elapsed * perSecond);
  const n = Math.ceil(Math.min(due - sent, most));
  await sender.send(n);
  sent += n;
  if (perSecond > 0 && sent < count) Atomics.wait(cell, 0, 0, 0.8);
  elapsed = (performance.now() - start) / 1000;
}
console.log(JSON.stringify({ sent, perSecond: sent / elapsed }));

/** One datagram per system call. */
function plain() {
  const conn = rawSocket();
  return {
    async send(n: number) {
      for (; n > 0; n--) await conn.send(data, to);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(conn.close()),
  };
}

/** Many datagrams per system call. */
async function fast() {
  const socket = await connect(to, { carrier: offload() });
  return {
    send: (n: number) => socket.sendMany(Array<Uint8Array>(n).fill(data)),
    [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
  };
}
