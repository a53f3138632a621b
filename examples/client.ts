// The client of the tutorial, on the library.
//
//   deno run --allow-net=127.0.0.1 examples/client.ts
//
// The bare client reports a message that is too long as "os error 90", sends to
// port 4464 if it is given port 70000, and would accept a reply from any sender.

import { connect } from "@pli/datagram";

await using client = await connect(Deno.args[0] ?? "udp://127.0.0.1:62000");
await client.send("Bonjour je vous envoi un message !");
