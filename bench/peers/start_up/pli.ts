// Binds a socket of this library, and prints its port.
import { bind } from "../../../mod.ts";

const socket = bind("udp://127.0.0.1:0");
console.log(socket.addr.port);
await socket.receive();
