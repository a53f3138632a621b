// `node:dgram`, on Node and on Deno.
//
//   dgram.mjs receive|send|echo|ping SIZE SECONDS [PORT]
import dgram from "node:dgram";
import process from "node:process";
import { counted, endAfter, listening, report, RoundTrips } from "./meter.mjs";

// Sent in one turn of the event loop.
const BURST = 64;

const [role, ...numbers] = process.argv.slice(2);
const [size, seconds, port] = numbers.map(Number);
const socket = dgram.createSocket("udp4");
const data = new Uint8Array(size);

/** @type {Record<string, () => void>} */
const roles = {
  receive() {
    socket.on("message", (received) => {
      counted.datagrams++;
      counted.bytes += received.length;
    });
    listen(() => report(seconds));
  },
  send() {
    connect(() => {
      report(seconds);
      burst();
    });
  },
  echo() {
    socket.on("message", (received, from) => {
      socket.send(received, from.port, from.address);
    });
    listen(() => {});
  },
  ping() {
    connect(() => {
      const trips = new RoundTrips(seconds);
      socket.on("message", () => {
        if (trips.next()) socket.send(data);
      });
      socket.send(data);
    });
  },
};

endAfter(seconds + 20);
roles[role]();

// The next turn follows the last of a burst.
function burst() {
  for (let n = 1; n < BURST; n++) socket.send(data, sent);
  socket.send(data, (error) => {
    sent(error);
    setImmediate(burst);
  });
}

/** @param {Error | null} error */
function sent(error) {
  if (error) return;
  counted.datagrams++;
  counted.bytes += size;
}

/** @param {() => void} then */
function listen(then) {
  socket.bind(0, "127.0.0.1", () => {
    listening(socket.address().port);
    then();
  });
}

/** @param {() => void} then */
function connect(then) {
  socket.bind(0, "127.0.0.1", () => socket.connect(port, "127.0.0.1", then));
}
