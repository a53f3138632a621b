// The bare `Deno.DatagramConn`.
//
//   raw.ts receive|iterate|send|echo|ping SIZE SECONDS [PORT]
import { at, portOf, rawSocket } from "../lib/datagrams.ts";
import { counted, endAfter, listening, report, RoundTrips } from "./meter.mjs";

const [role, ...numbers] = Deno.args;
const [size, seconds, port] = numbers.map(Number);
const conn = rawSocket();
const data = new Uint8Array(size);
const buffer = new Uint8Array(65_536);
const to = at(port);

const roles: Record<string, () => Promise<void>> = {
  async receive() {
    listening(portOf(conn));
    report(seconds);
    for (;;) {
      const [received] = await conn.receive(buffer);
      counted.datagrams++;
      counted.bytes += received.length;
    }
  },
  async iterate() {
    listening(portOf(conn));
    report(seconds);
    for await (const [received] of conn) {
      counted.datagrams++;
      counted.bytes += received.length;
    }
  },
  async send() {
    report(seconds);
    for (;;) {
      counted.bytes += await conn.send(data, to);
      counted.datagrams++;
    }
  },
  async echo() {
    listening(portOf(conn));
    for (;;) {
      const [received, from] = await conn.receive(buffer);
      await conn.send(received, from);
    }
  },
  async ping() {
    const trips = new RoundTrips(seconds);
    do {
      await conn.send(data, to);
      await conn.receive(buffer);
    } while (trips.next());
  },
};

endAfter(seconds + 20);
await roles[role]();
