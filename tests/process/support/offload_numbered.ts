// Sends numbered datagrams in bursts with pauses, by which a receiver goes to
// sleep again and again.
//
//   offload_numbered.ts ADDRESS COUNT
import { connect } from "../../../mod.ts";
import { offload } from "../../../lib/carriers/offload.ts";

const [address = "", text] = Deno.args;
const count = Number(text);
const client = await connect(address, { carrier: offload() });
for (let n = 0, burst = 0; n < count; burst++) {
  const messages: Uint8Array[] = [];
  for (const end = Math.min(count, n + 1 + burst * 97 % 4000); n < end; n++) {
    const data = new Uint8Array(8);
    new DataView(data.buffer).setUint32(0, n);
    messages.push(data);
  }
  await client.sendMany(messages);
  if (burst % 4 === 0) {
    await new Promise((resolve) => setTimeout(resolve, burst % 3));
  }
}
await client[Symbol.asyncDispose]();
