// Sends over offload while permissions come and go; prints what became of it.
//
//   offload_permissions.ts [all]     revokes all, or those for one host
import { bind, connect } from "../../../mod.ts";
import { offload } from "../../../lib/carriers/offload.ts";

const carrier = offload();
const socket = bind("udp://127.0.0.1:0", { carrier });
const client = await connect(socket.addr, { carrier });
const to = socket.addr;
const refused = bind("udp://127.0.0.1:0", { carrier });

const outcome = (sending: Promise<unknown>) =>
  sending.then(() => "sent", (error) => error.constructor.name);
const all = async () => [
  await outcome(socket.send("x", to)),
  await outcome(client.send("x")),
  await outcome(socket.sendMany([{ data: "x", to }])),
  await outcome(client.sendMany(["x", "y"])),
];

const before = await all();
const denied = await outcome(refused.send("x", "udp://127.0.0.9:9"));
// In the same turn of the event loop as the sends before and after it.
Deno.permissions.revokeSync(
  Deno.args[0] === "all" ? { name: "net" } : { name: "net", host: "127.0.0.1" },
);
const after = await all();
const other = await outcome(refused.send("x", "udp://127.0.0.2:9"));
const received = [];
for (let d; (d = await socket.tryReceive()) !== undefined;) {
  received.push(d.text());
}
console.log(
  JSON.stringify({ before, denied, after, other, received: received.length }),
);
Deno.exit();
