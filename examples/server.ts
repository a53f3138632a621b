// The server of the tutorial, on the library.
//
//   deno run --allow-net=127.0.0.1:62000 examples/server.ts
//
// The bare server waits without a limit, and a time-out around it would lose the
// next message. It silently cuts a message of more than 1,500 bytes, prints
// control characters as they are, and leaves the socket open after an error.

import { bind, escapeControls } from "@pli/datagram";

await using socket = bind(Deno.args[0] ?? "udp://127.0.0.1:62000", {
  maxSize: 1500,
});
console.error("listening on", socket.addr.port);
const datagram = await socket.receive({ timeoutMs: 10_000 });
console.log(escapeControls(datagram.text()), datagram.truncated ? "(cut)" : "");
