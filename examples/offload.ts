// Sends and receives a thousand messages in a few system calls. Linux only.
//
//   deno run --allow-net=127.0.0.1 --allow-ffi examples/offload.ts

import { bind, connect } from "@pli/datagram";
import { offload } from "@pli/datagram/offload";

await using socket = bind("udp://127.0.0.1:0", { carrier: offload() });
await using client = await connect(socket.addr, { carrier: offload() });

const readings = Array.from({ length: 1000 }, (_, i) => `reading ${i}`);
const sending = client.sendMany(readings);
let received = 0;
for await (const batch of socket.batches({ max: 500 })) {
  for (const { data } of batch) received += data.length > 0 ? 1 : 0;
  if (received === readings.length) break;
}
console.log(await sending, received); // 1000 1000
