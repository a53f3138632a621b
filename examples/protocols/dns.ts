// Asks a DNS server for the records of a name (RFC 1035): over UDP, and if the
// answer does not fit there, over TCP (RFC 7766).
//
//   deno run --allow-net=127.0.0.1 examples/protocols/dns.ts 127.0.0.1:53 example.org MX

import { connect, type Datagram, escapeControls } from "@pli/datagram";
import { tcp } from "@pli/datagram/tcp";
import { decode, type Record } from "./dns_decode.ts";
import { encode, TYPES } from "./dns_encode.ts";
import { program } from "./program.ts";

const [REPLY, TRUNCATED] = [0x8000, 0x0200];
const ERRORS = ["", "format error", "server failure", "no such name"];

/** Asks the server at an address such as "127.0.0.1:53". */
async function ask(server: string, name: string, type: number) {
  const [id = 0] = crypto.getRandomValues(new Uint16Array(1));
  const questions = [{ name: name.replace(/\.?$/, "."), type, class: 1 }];
  const query = encode({ id, flags: 0x0100, questions, answers: [] });
  const read = ({ data }: Datagram) => {
    const reply = decode(data);
    // It repeats the ID and the question (RFC 5452, section 9.1).
    const isOurs = reply?.id === id && (reply.flags & REPLY) !== 0 &&
      JSON.stringify(reply.questions) === JSON.stringify(questions);
    return isOurs ? reply : undefined;
  };
  const match = (datagram: Datagram) => read(datagram) !== undefined;

  await using client = await connect(`udp://${server}`);
  // Each wait is about twice as long as the one before (RFC 8085, 3.1.1).
  const options = { match, timeoutMs: 1000, retries: 3, backoff: {} };
  const reply = read(await client.request(query, options));
  if (!reply || !(reply.flags & TRUNCATED)) return reply;
  // Over TCP each message follows its length in two bytes.
  const carrier = tcp({ framing: "length" });
  await using long = await connect(`tcp://${server}`, { carrier });
  return read(await long.request(query, { match, timeoutMs: 5000 }));
}

function shown({ name, ttl, type, text }: Record): string {
  const known = Object.entries(TYPES).find(([, number]) => number === type);
  return escapeControls(`${name}  ${ttl} s  ${known?.[0] ?? type}  ${text}`);
}

if (import.meta.main) {
  const usage = `dns.ts HOST:PORT NAME [${Object.keys(TYPES).join("|")}]`;
  await program(usage, async (server = "", name = "", wanted = "A") => {
    const type = TYPES[wanted.toUpperCase()];
    if (type === undefined) throw new Error(`Usage: ${usage}`);
    const { flags = 0, answers = [] } = await ask(server, name, type) ?? {};
    const code = flags & 15;
    if (code) throw new Error(`${name}: ${ERRORS[code] ?? `error ${code}`}`);
    for (const record of answers) console.log(shown(record));
    if (answers.length === 0) console.log(`${name}: no ${wanted} record`);
  });
}
