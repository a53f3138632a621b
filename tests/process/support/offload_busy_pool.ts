// Exchanges messages while all threads of Deno's pool are busy.
import { bind, connect } from "../../../mod.ts";
import { offload } from "../../../lib/carriers/offload.ts";

const { symbols } = Deno.dlopen("libc.so.6", {
  sleep: { parameters: ["u32"], result: "u32", nonblocking: true },
});
// More than the pool has.
for (let n = 0; n < 64; n++) symbols.sleep(20);

const carrier = offload();
const server = bind("udp://127.0.0.1:0", { carrier });
const client = await connect(server.addr, { carrier });
const answering = (async () => {
  for await (const { data, from } of server) await server.send(data, from);
})();
for (let n = 0; n < 10; n++) {
  await client.send(`${n}`);
  console.log((await client.receive({ timeoutMs: 30_000 })).text());
}
server.close();
client.close();
await answering;
Deno.exit();
