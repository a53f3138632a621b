// Our sockets over the offload carrier. `reuse` is `batches` whose memory is used
// again; `read` and `reuse-read` also look at the first byte of each datagram.
//
//   offload.ts receive|batches|read|reuse|reuse-read|send|echo|ping SIZE SECONDS [PORT]
import { type BatchOptions, bind, connect, type Datagram } from "../../mod.ts";
import { offload } from "../../lib/carriers/offload.ts";
import { at, portOf } from "../lib/datagrams.ts";
import { counted, endAfter, listening, report, RoundTrips } from "./meter.mjs";

// Sent by one call.
const MANY = 1024;
const HERE = "udp://127.0.0.1:0";

const [role, ...numbers] = Deno.args;
const [size, seconds, port] = numbers.map(Number);
const data = new Uint8Array(size);
const options = { carrier: offload() };

const roles: Record<string, () => Promise<void>> = {
  async receive() {
    const socket = bind(HERE, options);
    listening(portOf(socket));
    report(seconds);
    for await (const { data } of socket) {
      counted.datagrams++;
      counted.bytes += data.length;
    }
  },
  batches: () => batches(count),
  read: () => batches(countAndRead),
  reuse: () => batches(count, { reuse: true }),
  "reuse-read": () => batches(countAndRead, { reuse: true }),
  async send() {
    const socket = await connect(at(port), options);
    const many = Array<Uint8Array>(MANY).fill(data);
    report(seconds);
    for (;;) {
      const sent = await socket.sendMany(many);
      counted.datagrams += sent;
      counted.bytes += sent * size;
    }
  },
  async echo() {
    const socket = bind(HERE, options);
    listening(portOf(socket));
    for (;;) {
      const { data, from } = await socket.receive();
      await socket.send(data, from);
    }
  },
  async ping() {
    const socket = await connect(at(port), options);
    const trips = new RoundTrips(seconds);
    do {
      await socket.send(data);
      await socket.receive();
    } while (trips.next());
  },
};

endAfter(seconds + 20);
await roles[role]();

function count({ data }: Datagram<Deno.Addr>): void {
  counted.datagrams++;
  counted.bytes += data.length;
}

function countAndRead({ data }: Datagram<Deno.Addr>): void {
  counted.datagrams++;
  counted.bytes += data.length;
  counted.sum += data[0];
}

async function batches(
  take: (datagram: Datagram<Deno.Addr>) => void,
  batching: BatchOptions = {},
): Promise<void> {
  const socket = bind(HERE, options);
  listening(portOf(socket));
  report(seconds);
  for await (const batch of socket.batches(batching)) {
    for (const datagram of batch) take(datagram);
  }
}
