// `Bun.udpSocket`.
//
//   bun.mjs receive|send|echo|ping SIZE SECONDS [PORT]
import { counted, endAfter, listening, report, RoundTrips } from "./meter.mjs";

// Sent by one call.
const BATCH = 64;
const HOST = "127.0.0.1";

const { Bun } = globalThis;
const [role, ...numbers] = Bun.argv.slice(2);
const [size, seconds, port] = numbers.map(Number);
const data = new Uint8Array(size);
const connect = { hostname: HOST, port };

const roles = {
  async receive() {
    const data = (_socket, received) => {
      counted.datagrams++;
      counted.bytes += received.length;
    };
    const socket = await Bun.udpSocket({ hostname: HOST, socket: { data } });
    listening(socket.port);
    report(seconds);
  },
  async send() {
    const socket = await Bun.udpSocket({ hostname: HOST, connect });
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
  async echo() {
    const data = (socket, received, port, host) => {
      socket.send(received, port, host);
    };
    const socket = await Bun.udpSocket({ hostname: HOST, socket: { data } });
    listening(socket.port);
  },
  async ping() {
    const trips = new RoundTrips(seconds);
    const echoed = (socket) => {
      if (trips.next()) socket.send(data);
    };
    const socket = await Bun.udpSocket({
      hostname: HOST,
      connect,
      socket: { data: echoed },
    });
    socket.send(data);
  },
};

endAfter(seconds + 20);
await roles[role]();
