// Binds a socket of this library over the offload carrier, and prints its port.
import { bind } from "../../../mod.ts";
import { offload } from "../../../lib/carriers/offload.ts";

const socket = bind("udp://127.0.0.1:0", { carrier: offload() });
console.log(socket.addr.port);
await socket.receive();
