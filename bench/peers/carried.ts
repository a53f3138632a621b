// Sockets of this library over each of the carriers. A message is sent once the
// carrier has taken the one before, so the carrier sets the pace.
//
//   carried.ts CARRIER receive|send|serve|echo|ping SIZE SECONDS [PORT [CERT]]
import { setImmediate } from "node:timers/promises";
import { bind, type CarrierSource, connect, serve } from "../../mod.ts";
import { makeCertificate } from "../../lib/testing/certificate.ts";
import {
  type CarrierName,
  CARRIERS,
  type MeasuredCarrier,
  type Trust,
} from "../lib/carriers.ts";
import { portOf } from "../lib/datagrams.ts";
import { counted, listening, play, report } from "./meter.mjs";
import { socketRoles, type Sockets } from "./sockets.ts";

const HOST = "127.0.0.1";
// A sender continues for this long after its window, as the receiver's window
// ends later.
const TAIL_MS = 100;
// The event loop runs after this many messages: over TLS a send that need not
// wait does not let it run, and timers would be late.
const PER_TURN = 64;
// The last message, sent until it is answered.
const END = new Uint8Array(1);
const UNTIL_ANSWERED = {
  ...{ timeoutMs: 200, retries: 50 },
  match: isEnd,
};

const [name, ...args] = Deno.args;
const { scheme, isEncrypted, source }: MeasuredCarrier =
  CARRIERS[name as CarrierName];

const sockets: Sockets = {
  listen: () => opened((address, carrier) => bind(address, { carrier })),
  dial(port) {
    const cert = args[4];
    const trust = cert === undefined ? {} : { caCerts: [cert] };
    const to = `${scheme}://${HOST}:${port}`;
    return connect(to, { carrier: source?.(trust) });
  },
};

await play({
  ...socketRoles(sockets),
  async serve() {
    const options = { answerLimit: Infinity, onError() {} };
    await opened((address, carrier) =>
      serve(address, ({ data }) => data, { carrier, ...options })
    );
  },
  async receive({ seconds }) {
    const socket = await sockets.listen();
    const reported = report(seconds);
    let isOver = false;
    for await (const { data, from } of socket) {
      if (isEnd({ data })) {
        await socket.send(data, from);
        if (!isOver) reported.then(printTotal);
        isOver = true;
      } else if (!isOver) {
        counted.datagrams++;
        counted.bytes += data.length;
      }
    }
  },
  // The data is ones: it contains no newline.
  async send({ data, size, seconds, port }) {
    const socket = await sockets.dial(port);
    let isOver = false;
    report(seconds).then(() => setTimeout(() => isOver = true, TAIL_MS));
    while (!isOver) {
      await socket.send(data);
      counted.datagrams++;
      counted.bytes += size;
      if (counted.datagrams % PER_TURN === 0) await setImmediate();
    }
    await socket.request(END, UNTIL_ANSWERED);
    printTotal();
  },
}, args);

/** Opens a socket or a server on a free port, and prints the port. */
async function opened<T extends { addr: Deno.NetAddr }>(
  open: (address: string, carrier: CarrierSource | undefined) => T,
): Promise<T> {
  const trust: Trust = isEncrypted
    ? await makeCertificate({ hosts: [HOST], days: 1 })
    : {};
  const there = open(`${scheme}://${HOST}:0`, source?.(trust));
  listening(portOf(there), trust.cert);
  return there;
}

function isEnd({ data }: { data: Uint8Array }): boolean {
  return data.length === END.length;
}

/** Prints how many messages were counted in all. */
function printTotal(): void {
  console.log(JSON.stringify({ total: counted.datagrams }));
}
