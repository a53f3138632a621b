// Sockets of this library over the offload carrier. `reuse` is `batches` with
// one memory for all batches; `read` and `reuse-read` also read the first byte of
// each datagram. Roles that end in `-many` have 1,000 peers.
//
//   offload.ts receive|batches|read|reuse|reuse-read|send|echo|ping|receive-many|
//     batches-many|reuse-many|to-many SIZE SECONDS [PORT]
//   offload.ts paced|paced-runs SIZE SECONDS PORT HOSTS PER_SECOND
import type { BatchOptions, Datagram } from "../../mod.ts";
import { offload } from "../../lib/carriers/offload.ts";
import { pacedRuns, runRoles } from "./run_roles.ts";
import { type Args, counted, play, report } from "./meter.mjs";
import {
  batchesOfMany,
  manyRoles,
  paced,
  socketRoles,
  udpSockets,
} from "./sockets.ts";

// Sent by one call.
const MANY = 1024;

const options = { carrier: offload() };
const sockets = udpSockets(options);

await play({
  ...socketRoles(sockets),
  ...runRoles(sockets),
  ...manyRoles(options),
  paced: paced(options),
  "paced-runs": pacedRuns(options),
  "batches-many": batchesOfMany(options, {}),
  "reuse-many": batchesOfMany(options, { reuse: true }),
  batches: batches(count),
  read: batches(countAndRead),
  reuse: batches(count, { reuse: true }),
  "reuse-read": batches(countAndRead, { reuse: true }),
  async send({ data, size, seconds, port }) {
    const socket = await sockets.dial(port);
    const many = Array<Uint8Array>(MANY).fill(data);
    report(seconds);
    for (;;) {
      const sent = await socket.sendMany(many);
      counted.datagrams += sent;
      counted.bytes += sent * size;
    }
  },
});

function count({ data }: Datagram<Deno.Addr>): void {
  counted.datagrams++;
  counted.bytes += data.length;
}

function countAndRead({ data }: Datagram<Deno.Addr>): void {
  counted.datagrams++;
  counted.bytes += data.length;
  counted.sum += data[0] ?? 0;
}

function batches(
  take: (datagram: Datagram<Deno.Addr>) => void,
  options: BatchOptions = {},
) {
  return async ({ seconds }: Args) => {
    const socket = await sockets.listen();
    report(seconds);
    for await (const batch of socket.batches(options)) {
      for (const datagram of batch) take(datagram);
    }
  };
}
