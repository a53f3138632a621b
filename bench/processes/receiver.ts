// Receives what a flood brings. Prints its port, then how fast it was.
//
//   receiver.ts raw|iterated|ours SECONDS
import { bind } from "../../mod.ts";
import { portOf, rawSocket } from "../lib/datagrams.ts";
import { endAfter, measure } from "../lib/window.ts";

const [subject, seconds] = [Deno.args[0], Number(Deno.args[1])];
let received = 0;

endAfter(seconds + 20);
if (subject === "raw") {
  const conn = rawSocket();
  const buffer = new Uint8Array(65_536);
  await start(conn);
  for (;;) {
    await conn.receive(buffer);
    received++;
  }
} else {
  const socket = subject === "ours" ? bind("udp://127.0.0.1:0") : rawSocket();
  await start(socket);
  for await (const _ of socket) received++;
}

/** Measures from the first datagram on, then ends the process. */
async function start(
  socket: { addr: Deno.Addr; receive(): Promise<unknown> },
): Promise<void> {
  console.log(portOf(socket));
  await socket.receive();
  measure(() => received, seconds).then((throughput) => {
    console.log(JSON.stringify(throughput));
    Deno.exit(0);
  });
}
