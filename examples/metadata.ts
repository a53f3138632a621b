// Answers from the address that it was asked at, and tells what the system knows
// of the question. Linux only.
//
//   deno run --allow-net=0.0.0.0,127.0.0.1,127.0.0.2 --allow-ffi examples/metadata.ts
import { bind, connect } from "@pli/datagram";
import { offload } from "@pli/datagram/offload";

const carrier = offload({ metadata: ["ecn", "time"] });
await using socket = bind("udp://0.0.0.0:0", { carrier });

// A connected client hears only the host that it asks.
await using client = await connect(`udp://127.0.0.2:${socket.addr.port}`);
await client.send("Bonjour");

const datagram = await socket.receive();
const { to, ecn, time = 0 } = datagram;
console.log(to, ecn, new Date(time).toISOString());
await socket.answer("reçu", datagram);
console.log((await client.receive()).text());
