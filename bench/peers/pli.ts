// Our sockets, over Deno's own UDP.
//
//   pli.ts receive|send|echo|ping SIZE SECONDS [PORT]
import { bind, connect } from "../../mod.ts";
import { at, portOf } from "../lib/datagrams.ts";
import { counted, endAfter, listening, report, RoundTrips } from "./meter.mjs";

const [role, ...numbers] = Deno.args;
const [size, seconds, port] = numbers.map(Number);
const data = new Uint8Array(size);
const HERE = "udp://127.0.0.1:0";

const roles: Record<string, () => Promise<void>> = {
  async receive() {
    const socket = bind(HERE);
    listening(portOf(socket));
    report(seconds);
    for await (const { data } of socket) {
      counted.datagrams++;
      counted.bytes += data.length;
    }
  },
  async send() {
    const socket = bind(HERE);
    const to = at(port);
    report(seconds);
    for (;;) {
      await socket.send(data, to);
      counted.datagrams++;
      counted.bytes += size;
    }
  },
  async echo() {
    const socket = bind(HERE);
    listening(portOf(socket));
    for (;;) {
      const { data, from } = await socket.receive();
      await socket.send(data, from);
    }
  },
  async ping() {
    const socket = await connect(at(port));
    const trips = new RoundTrips(seconds);
    do {
      await socket.send(data);
      await socket.receive();
    } while (trips.next());
  },
};

endAfter(seconds + 20);
await roles[role]();
