// Sockets of this library, over Deno's own UDP.
//
//   pli.ts receive|send|echo|ping|receive-many|to-many SIZE SECONDS [PORT]
//   pli.ts paced SIZE SECONDS PORT HOSTS PER_SECOND
import { bind } from "../../mod.ts";
import { at } from "../lib/datagrams.ts";
import { counted, play, report } from "./meter.mjs";
import { manyRoles, paced, socketRoles, udpSockets } from "./sockets.ts";

await play({
  ...socketRoles(udpSockets()),
  ...manyRoles(),
  paced: paced(),
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
