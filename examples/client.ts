// The same client on the library.
//
//   deno run --allow-net=127.0.0.1 examples/client.ts
//
// What the bare one gets wrong: a message that is too long is an unexplained
// "os error 90"; a port of 70000 becomes 4464; and were it to wait for a reply,
// it would take anybody's.

import { connect } from "@pli/datagram";

await using client = await connect(Deno.args[0] ?? "udp://127.0.0.1:62000");
await client.send("Bonjour je vous envoi un message !");
