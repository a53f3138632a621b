// Our sockets over each of the carriers. Messages go one by one: the next when
// the carrier has taken the one before, so it is the carrier that slows a sender.
//
//   carried.ts CARRIER receive|send|echo|ping SIZE SECONDS [PORT [CERT]]
import { setImmediate } from "node:timers";
import { bind, type CarrierSource, connect } from "../../mod.ts";
import { quic } from "../../lib/carriers/quic.ts";
import { tcp } from "../../lib/carriers/tcp.ts";
import { tls } from "../../lib/carriers/tls.ts";
import { makeCertificate } from "../../lib/testing/certificate.ts";
import { portOf } from "../lib/datagrams.ts";
import { counted, endAfter, listening, report, RoundTrips } from "./meter.mjs";

const HOST = "127.0.0.1";
// A sender goes on for so long after its window, as the receiver's ends later.
const TAIL_MS = 100;
// After so many the event loop gets its turn: over TLS a send that need not wait
// gives it none, and timers would not run.
const IN_A_TURN = 64;
// The last message, sent until it is answered.
const END = new Uint8Array(1);
const UNTIL_ANSWERED = {
  ...{ timeoutMs: 200, retries: 50 },
  match: isEnd,
};

/** What a side shows, or whom it trusts. */
interface Trust {
  cert?: string;
  key?: string;
  caCerts?: string[];
}

interface Carried {
  scheme: string;
  /** @default {what the scheme stands for} */
  source?(trust: Trust): CarrierSource;
}

const CARRIERS: Record<string, Carried> = {
  udp: { scheme: "udp" },
  quic: { scheme: "quic", source: quic },
  "quic-reliable": {
    scheme: "quic",
    source: (trust) => quic({ ...trust, reliable: true }),
  },
  tcp: { scheme: "tcp", source: () => tcp({ framing: "length" }) },
  "tcp-line": { scheme: "tcp", source: () => tcp({ framing: "line" }) },
  tls: {
    scheme: "tls",
    source: (trust) => tls({ ...trust, framing: "length" }),
  },
};

const [name, role, ...rest] = Deno.args;
const [size, seconds, port] = rest.map(Number);
const { scheme, source } = CARRIERS[name];
// Zeros: no newline.
const data = new Uint8Array(size);

const roles: Record<string, () => Promise<void>> = {
  async receive() {
    const socket = await listen();
    const reported = report(seconds);
    let isOver = false;
    for await (const { data, from } of socket) {
      if (isEnd({ data })) {
        await socket.send(data, from);
        if (!isOver) reported.then(total);
        isOver = true;
      } else if (!isOver) {
        counted.datagrams++;
        counted.bytes += data.length;
      }
    }
  },
  async send() {
    const socket = await dial();
    let isOver = false;
    report(seconds).then(() => setTimeout(() => isOver = true, TAIL_MS));
    while (!isOver) {
      await socket.send(data);
      counted.datagrams++;
      counted.bytes += size;
      if (counted.datagrams % IN_A_TURN === 0) await turn();
    }
    await socket.request(END, UNTIL_ANSWERED);
    total();
  },
  async echo() {
    const socket = await listen();
    for await (const { data, from } of socket) await socket.send(data, from);
  },
  async ping() {
    const socket = await dial();
    const trips = new RoundTrips(seconds);
    do {
      await socket.send(data);
      await socket.receive({ timeoutMs: 10_000 });
    } while (trips.next());
  },
};

endAfter(seconds + 20);
await roles[role]();

async function listen() {
  const isEncrypted = ["quic", "tls"].includes(scheme);
  const trust: Trust = isEncrypted
    ? await makeCertificate({ hosts: [HOST], days: 1 })
    : {};
  const socket = bind(`${scheme}://${HOST}:0`, { carrier: source?.(trust) });
  listening(portOf(socket), trust.cert);
  return socket;
}

function dial() {
  const [, , , cert] = rest;
  const trust = cert === undefined ? {} : { caCerts: [cert] };
  const to = `${scheme}://${HOST}:${port}`;
  return connect(to, { carrier: source?.(trust) });
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function isEnd({ data }: { data: Uint8Array }): boolean {
  return data.length === END.length;
}

/** Prints how many messages there were in all. */
function total(): void {
  console.log(JSON.stringify({ total: counted.datagrams }));
}
