// Asks whether a CoAP endpoint is there: an empty message that wants a
// confirmation is answered by a reset (RFC 7252, section 4.3).
//
//   deno run --allow-net=127.0.0.1 examples/protocols/coap_ping.ts 127.0.0.1:5683

import { connect, type Datagram } from "@pli/datagram";
import { program } from "./program.ts";

const CONFIRMABLE = 0x40; // Version 1, no token (3).
const RESET = 0x70;

if (import.meta.main) {
  await program("coap_ping.ts HOST:PORT", async (server = "") => {
    await using client = await connect(server);
    const id = crypto.getRandomValues(new Uint8Array(2));
    const start = performance.now();
    await client.request(Uint8Array.of(CONFIRMABLE, 0, ...id), {
      match: ({ data }: Datagram) =>
        data.length === 4 && data[0] === RESET && data[1] === 0 &&
        data[2] === id[0] && data[3] === id[1],
      timeoutMs: 2000, // ACK_TIMEOUT (4.8)
      retries: 4, // MAX_RETRANSMIT
      backoff: { factor: 2, jitter: 0.5 }, // ACK_RANDOM_FACTOR is 1.5 (4.2).
    });
    const ms = (performance.now() - start).toFixed(1);
    console.log(`coap://${server} answered after ${ms} ms`);
  });
}
