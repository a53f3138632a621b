// Sockets of this library, over Deno's own UDP.
//
//   pli.ts receive|send|echo|ping|receive-many|to-many SIZE SECONDS [PORT]
import { bind } from "../../mod.ts";
import { at } from "../lib/datagrams.ts";
import { counted, play, report } from "./meter.mjs";
import { manyRoles, socketRoles, udpSockets } from "./sockets.ts";

await play({
  ...socketRoles(udpSockets()),
  ...manyRoles(),
  async send({ data, size, seconds, port }) {
    const socket = bind("udp://127.0.0.1:0");
    const to = at(port);
    report(seconds);
    for (;;) {
      await socket.send(data, to);
      counted.datagrams++;
      counted.bytes += size;
    }
  },
});
