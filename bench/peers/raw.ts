// The bare `Deno.DatagramConn`.
//
//   raw.ts receive|iterate|send|echo|ping|receive-many|to-many SIZE SECONDS [PORT]
import { at, portOf, rawSocket } from "../lib/datagrams.ts";
import {
  counted,
  HOSTS,
  listening,
  play,
  report,
  RoundTrips,
  take,
} from "./meter.mjs";

const conn = rawSocket(Deno.args[0]?.endsWith("-many") ? "0.0.0.0" : undefined);
const buffer = new Uint8Array(65_536);

await play({
  async receive({ seconds }) {
    listening(portOf(conn));
    report(seconds);
    for (;;) {
      const [received] = await conn.receive(buffer);
      counted.datagrams++;
      counted.bytes += received.length;
    }
  },
  async iterate({ seconds }) {
    listening(portOf(conn));
    report(seconds);
    for await (const [received] of conn) {
      counted.datagrams++;
      counted.bytes += received.length;
    }
  },
  async send({ data, seconds, port }) {
    const to = at(port);
    report(seconds);
    for (;;) {
      counted.bytes += await conn.send(data, to);
      counted.datagrams++;
    }
  },
  async "receive-many"({ seconds }) {
    listening(portOf(conn));
    report(seconds);
    for (;;) {
      const [received, from] = await conn.receive(buffer);
      take(received, (from as Deno.NetAddr).hostname);
    }
  },
  async "to-many"({ data, seconds, port }) {
    const all = HOSTS.map((hostname) => ({ ...at(port), hostname }));
    report(seconds);
    for (;;) {
      for (const to of all) {
        counted.bytes += await conn.send(data, to);
        counted.datagrams++;
      }
    }
  },
  async echo() {
    listening(portOf(conn));
    for (;;) {
      const [received, from] = await conn.receive(buffer);
      await conn.send(received, from);
    }
  },
  async ping({ data, seconds, port }) {
    const to = at(port);
    const trips = new RoundTrips(seconds);
    do {
      await conn.send(data, to);
      await conn.receive(buffer);
    } while (trips.next());
  },
});
