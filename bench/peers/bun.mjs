// `Bun.udpSocket`.
//
//   bun.mjs receive|send|echo|ping|receive-many|to-many SIZE SECONDS [PORT]
import {
  counted,
  HOSTS,
  listening,
  play,
  report,
  RoundTrips,
  take,
} from "./meter.mjs";

// Sent by one call.
const BATCH = 64;
const hostname = "127.0.0.1";

const { Bun } = globalThis;

/**
 * Divides messages into arguments of `sendMany`.
 *
 * @param {[data: Uint8Array, port: number, host: string][]} messages
 */
function inBatches(messages) {
  return Array.from(
    { length: Math.ceil(messages.length / BATCH) },
    (_, n) => messages.slice(n * BATCH, (n + 1) * BATCH).flat(),
  );
}

await play({
  async receive({ seconds }) {
    const data = (_socket, received) => {
      counted.datagrams++;
      counted.bytes += received.length;
    };
    const socket = await Bun.udpSocket({ hostname, socket: { data } });
    listening(socket.port);
    report(seconds);
  },
  async send({ data, size, seconds, port }) {
    const connect = { hostname, port };
    const socket = await Bun.udpSocket({ hostname, connect });
    const batch = Array(BATCH).fill(data);
    report(seconds);
    const send = () => {
      for (let calls = 0; calls < 16; calls++) {
        const sent = socket.sendMany(batch);
        counted.datagrams += sent;
        counted.bytes += sent * size;
      }
      setImmediate(send);
    };
    send();
  },
  async "receive-many"({ seconds }) {
    const data = (_socket, received, _port, host) => take(received, host);
    const socket = await Bun.udpSocket({
      hostname: "0.0.0.0",
      socket: { data },
    });
    listening(socket.port);
    report(seconds);
  },
  async "to-many"({ data, size, seconds, port }) {
    const socket = await Bun.udpSocket({ hostname: "0.0.0.0" });
    const batches = inBatches(HOSTS.map((host) => [data, port, host]));
    report(seconds);
    const send = () => {
      for (const batch of batches) {
        const sent = socket.sendMany(batch);
        counted.datagrams += sent;
        counted.bytes += sent * size;
      }
      setImmediate(send);
    };
    send();
  },
  async echo() {
    const data = (socket, received, port, host) => {
      socket.send(received, port, host);
    };
    const socket = await Bun.udpSocket({ hostname, socket: { data } });
    listening(socket.port);
  },
  async ping({ data, seconds, port }) {
    const trips = new RoundTrips(seconds);
    const echoed = (socket) => {
      if (trips.next()) socket.send(data);
    };
    const socket = await Bun.udpSocket({
      hostname,
      connect: { hostname, port },
      socket: { data: echoed },
    });
    socket.send(data);
  },
});
