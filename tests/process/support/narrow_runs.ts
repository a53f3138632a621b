// Sends runs of the given segment sizes through the offload carrier, in a network
// namespace whose packets are small, and checks every byte. Prints the sizes that
// arrived whole and in order.
//
//   narrow_runs.ts SIZE…
import { bind, connect } from "../../../mod.ts";
import { offload } from "../../../lib/carriers/offload.ts";
import { pattern } from "../../support/helpers.ts";

const carrier = offload();
for (const size of Deno.args.map(Number)) {
  for (const host of ["127.0.0.1", "[::1]"]) {
    await using socket = bind(`udp://${host}:0`, { carrier });
    await using client = await connect(socket.addr, { carrier });
    // A socket's buffer holds them all.
    const most = Math.min(200, Math.floor(90_000 / size));
    const data = pattern(most * size + Math.min(5, size - 1));
    let [at, count] = [0, 0];
    const sending = client.sendRun(data, size);
    for await (const run of socket.runs({ timeoutMs: 30_000 })) {
      const last = Math.min(size, data.length - at);
      const isWhole = run.segmentSize === Math.min(size, last) &&
        run.data.every((byte, i) => byte === data[at + i]);
      if (!isWhole) throw new Error(`${run.segmentSize} bytes at ${at}`);
      at += run.data.length;
      count += run.count;
      if (at === data.length) break;
    }
    if (await sending !== count) throw new Error(`${count} arrived`);
    // Single datagrams and batches go on by the same way.
    await client.send(data.subarray(0, size));
    await client.sendMany([data.subarray(0, size), data.subarray(0, 3)]);
    for (const length of [size, size, 3]) {
      const { data } = await socket.receive({ timeoutMs: 30_000 });
      if (data.length !== length) throw new Error(`${data.length} bytes`);
    }
  }
  console.log(size);
}
