// The same server on the library.
//
//   deno run --allow-net=127.0.0.1:62000 examples/server.ts
//
// What the bare one gets wrong: it waits for ever, and a time-out around it
// would lose the message that comes next; it cuts a message of more than 1,500
// bytes without a word; it prints whatever control characters it was sent; a
// port of 70000 becomes 4464; an error on the way leaves the socket open.

import { bind, escapeControls } from "@pli/datagram";

await using socket = bind(Deno.args[0] ?? "udp://127.0.0.1:62000", {
  maxSize: 1500,
});
console.error("listening on", socket.addr.port);
const datagram = await socket.receive({ timeoutMs: 10_000 });
console.log(escapeControls(datagram.text()), datagram.truncated ? "(cut)" : "");
