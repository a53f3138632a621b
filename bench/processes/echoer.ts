// Sends each datagram back to where it came from. Prints its port.
//
//   echoer.ts raw|ours SECONDS
import { bind } from "../../mod.ts";
import { portOf, rawSocket } from "../lib/datagrams.ts";
import { endAfter } from "../lib/window.ts";

const [subject, seconds] = Deno.args;

endAfter(Number(seconds));
if (subject === "raw") {
  const conn = rawSocket();
  console.log(portOf(conn));
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const [data, from] = await conn.receive(buffer);
    await conn.send(data, from);
  }
} else {
  const socket = bind("udp://127.0.0.1:0");
  console.log(portOf(socket));
  for (;;) {
    const { data, from } = await socket.receive();
    await socket.send(data, from);
  }
}
