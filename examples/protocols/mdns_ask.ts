// Asks the local network for the address of a name by multicast DNS (RFC 6762).
//
//   deno run --allow-net=0.0.0.0,224.0.0.251 examples/protocols/mdns_ask.ts 224.0.0.251:5353 printer.local
//
// The address of an interface as a third argument chooses that one.

import {
  bind,
  type Datagram,
  escapeControls,
  formatAddress,
} from "@pli/datagram";
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
    const query = encode({ id: 0, flags: 0, questions, answers: [] });
    const recordOf = ({ data }: Datagram) =>
      decode(data)?.answers.find((answer) =>
        answer.name.toLowerCase() === name.toLowerCase()
      );
    const replies = socket.gather(query, group, {
      forMs: 2000,
      unique: "peer",
      match: (reply) => recordOf(reply) !== undefined,
      resendMs: 1000, // 5.2
      backoff: { factor: 2 },
    });
    for await (const reply of replies) {
      const { text = "" } = recordOf(reply) ?? {};
      const line = `${name}  ${text}  from ${formatAddress(reply.from)}`;
      console.log(escapeControls(line));
    }
  });
}
