// Answers the local network's questions for the address of a name, by multicast
// DNS (RFC 6762) without the probes and announcements of section 8.
//
//   deno run --allow-net examples/protocols/mdns_answer.ts 224.0.0.251:5353 printer.local 192.0.2.7
//
// The address of an interface as a fourth argument chooses that one.

import { once } from "node:events";
import process from "node:process";
import { bind, dgram } from "@pli/datagram";
import { decode } from "./dns_decode.ts";
import { encode, type Question, TYPES } from "./dns_encode.ts";
import { program } from "./program.ts";

const [A, ANY, IN, FLUSH, ANSWER] = [TYPES["A"]!, 255, 1, 0x8000, 0x8400];

if (import.meta.main) {
  const usage = "mdns_answer.ts GROUP NAME IP [INTERFACE]";
  await program(usage, async (group = "", given = "", ip = "", on) => {
    const [host = "", port = ""] = group.split(":");
    const name = given.replace(/\.?$/, ".");
    const data = Uint8Array.from(ip.split("."), Number);
    if (data.length !== 4 || data.join(".") !== ip) {
      throw new Error(`Not an IPv4 address: ${ip}`);
    }
    // Others on this machine have the port too.
    const carrier = dgram({ reuseAddress: true, multicastInterface: on });
    await using socket = bind(`0.0.0.0:${port}`, { carrier });
    await socket.joinMulticast(host, { interface: on, ttl: 255 }); // 11
    once(process, "SIGINT").then(() => socket.close());
    console.error(`listening on ${group} for ${name}`);

    const record = { name, type: A, data };
    const isAsked = (question: Question) =>
      question.name.toLowerCase() === name.toLowerCase() &&
      (question.type === A || question.type === ANY);
    for await (const datagram of socket) {
      const query = decode(datagram.data);
      const asked = query?.questions.find(isAsked);
      if (!query || !asked || query.flags & 0x8000) continue;
      if (datagram.from.port === Number(port)) { // 6
        const answers = [{ ...record, class: IN | FLUSH, ttl: 120 }];
        const answer = { id: 0, flags: ANSWER, questions: [], answers };
        await socket.send(encode(answer), group).catch(report);
      } else { // A one-shot query: answered as by any other DNS server (6.7).
        const answers = [{ ...record, class: IN, ttl: 10 }];
        const { id } = query;
        const answer = { id, flags: ANSWER, questions: [asked], answers };
        await socket.answer(encode(answer), datagram).catch(report);
      }
    }
    console.error(`received ${socket.stats.received}`);
  });
}

function report({ message }: Error): void {
  console.error(message);
}
