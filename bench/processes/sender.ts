// Sends datagrams one after another. Prints how fast it was.
//
//   sender.ts raw|bound|connected PORT SECONDS
import { bind, connect } from "../../mod.ts";
import { at, rawSocket, SIZE } from "../lib/datagrams.ts";
import { endAfter, measure } from "../lib/window.ts";

const [subject, port, seconds] = Deno.args;
const to = at(Number(port));
const data = new Uint8Array(SIZE);
let sent = 0;

endAfter(Number(seconds) + 20);
measure(() => sent, Number(seconds)).then((throughput) => {
  console.log(JSON.stringify(throughput));
  Deno.exit(0);
});
if (subject === "raw") {
  const conn = rawSocket();
  for (;;) {
    await conn.send(data, to);
    sent++;
  }
} else if (subject === "bound") {
  const socket = bind("udp://127.0.0.1:0");
  for (;;) {
    await socket.send(data, to);
    sent++;
  }
} else {
  const socket = await connect(to);
  for (;;) {
    await socket.send(data);
    sent++;
  }
}
