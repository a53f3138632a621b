// Sockets of this library over `node:dgram`, on Deno, Node and Bun.
//
//   portable.mjs receive|send|echo|ping SIZE SECONDS [PORT]
import { bind, connect, dgram } from "../../mod.ts";
import { counted, listening, play, report, RoundTrips } from "./meter.mjs";

// The event loop runs after this many messages, as in dgram.mjs.
const BURST = 64;

const options = { carrier: dgram() };

async function listen() {
  const socket = bind("udp://127.0.0.1:0", options);
  await socket.opened;
  listening(socket.addr.port);
  return socket;
}

/** @param {number} port */
function dial(port) {
  return connect(`udp://127.0.0.1:${port}`, options);
}

await play({
  async receive({ seconds }) {
    const socket = await listen();
    report(seconds);
    for await (const { data } of socket) {
      counted.datagrams++;
      counted.bytes += data.length;
    }
  },
  async send({ data, size, seconds, port }) {
    const socket = await dial(port);
    report(seconds);
    for (;;) {
      await socket.send(data);
      counted.datagrams++;
      counted.bytes += size;
      if (counted.datagrams % BURST === 0) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  },
  async echo() {
    const socket = await listen();
    for (;;) {
      const { data, from } = await socket.receive();
      await socket.send(data, from);
    }
  },
  async ping({ data, seconds, port }) {
    const socket = await dial(port);
    const trips = new RoundTrips(seconds);
    do {
      await socket.send(data);
      await socket.receive();
    } while (trips.next());
  },
});
