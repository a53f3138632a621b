// Asks the local network for the address of a name by multicast DNS (RFC 6762).
//
//   deno run --allow-net=0.0.0.0,224.0.0.251 examples/protocols/mdns_ask.ts 224.0.0.251:5353 printer.local
//
// The address of an interface as a third argument chooses that one.

import { bind, escapeControls, formatAddress } from "@pli/datagram";
import { decode } from "./dns_decode.ts";
import { encode, TYPES } from "./dns_encode.ts";
import { program } from "./program.ts";

if (import.meta.main) {
  const usage = "mdns_ask.ts GROUP NAME [INTERFACE]";
  await program(usage, async (group = "", given = "", on = "0.0.0.0") => {
    await using socket = bind(`${on}:0`);
    const name = given.replace(/\.?$/, ".");
    // A one-shot query (5.1): from another port than the group's, so that answers
    // come to this socket.
    const questions = [{ name, type: TYPES["A"]!, class: 1 }];
    const query = { id: 0, flags: 0, questions, answers: [] };
    await socket.send(encode(query), group);
    const signal = AbortSignal.timeout(2000);
    try {
      for (;;) {
        const { data, from } = await socket.receive({ signal });
        const records = decode(data)?.answers ?? [];
        for (const { name: whose, text } of records) {
          if (whose.toLowerCase() !== name.toLowerCase()) continue;
          const line = `${whose}  ${text}  from ${formatAddress(from)}`;
          console.log(escapeControls(line));
        }
      }
    } catch (error) {
      if (error !== signal.reason) throw error;
    }
  });
}
