/**
 * Cloudflare's quiche (its build for Node, by Matrix AI) as a client of pli/1:
 * `quiche.ts PORT CA MESSAGE…` sends each message as a QUIC datagram, prints the
 * hello and as many datagrams as come back, and says goodbye.
 */
import { createRequire } from "node:module";

// Deno installs imported packages, but loads native modules only by `require`.
await import("@matrixai/quic-linux-x64").catch(() => {});
const quiche = createRequire(import.meta.url)("@matrixai/quic-linux-x64");
const [port, ca = "", ...messages] = Deno.args;

const HELLO = new Uint8Array([0, 0, 0, 0x10, 0, 0, 0]);
const CONTROL = 0;
const GOODBYE = new Uint8Array([3, 0, 0, 0, 0, 0, 0, 0, 0]);

const udp = Deno.listenDatagram({
  transport: "udp",
  hostname: "127.0.0.1",
  port: 0,
});
const server = { host: "127.0.0.1", port: Number(port) };
const own = { host: "127.0.0.1", port: (udp.addr as Deno.NetAddr).port };

const config = quiche.Config.withBoringSslCtx(
  true,
  false,
  await Deno.readFile(ca),
);
config.setApplicationProtos(["pli/1"]);
config.setMaxIdleTimeout(120_000);
config.setInitialMaxData(1_000_000);
config.setInitialMaxStreamDataBidiLocal(100_000);
config.setInitialMaxStreamDataBidiRemote(100_000);
config.setInitialMaxStreamDataUni(100_000);
config.setInitialMaxStreamsBidi(1);
config.setInitialMaxStreamsUni(1);
config.enableDgram(true, 100, 100);

const id = crypto.getRandomValues(new Uint8Array(16));
const conn = quiche.Connection.connect("localhost", id, own, server, config);

async function flush(): Promise<void> {
  const buffer = new Uint8Array(1350);
  for (;;) {
    const sent = conn.send(buffer);
    if (sent === null) return;
    await udp.send(buffer.subarray(0, sent[0]), {
      transport: "udp",
      hostname: server.host,
      port: server.port,
    });
  }
}

let timer: ReturnType<typeof setTimeout> | undefined;
async function turn(): Promise<void> {
  await flush();
  clearTimeout(timer);
  const ms = conn.timeout();
  if (ms === null) return;
  timer = setTimeout(() => {
    conn.onTimeout();
    if (conn.isClosed()) fail("timed out");
    turn();
  }, ms);
}

function fail(why: string): never {
  console.log(why);
  Deno.exit(1);
}

/** The bytes received on the first stream. */
const control: number[] = [];
let isGreeting = false;
let echoes = 0;
let isLeaving = false;

await turn();
for await (const [data] of udp) {
  conn.recv(data, { from: server, to: own });
  if (conn.isEstablished() && !isGreeting) {
    isGreeting = true;
    conn.streamSend(CONTROL, HELLO, false);
  }
  const buffer = new Uint8Array(1000);
  while (isGreeting && conn.streamReadable(CONTROL)) {
    const [size] = conn.streamRecv(CONTROL, buffer);
    control.push(...buffer.subarray(0, size));
    if (control.length < 5 || echoes > 0) continue;
    console.log(`hello ${control.slice(0, 5)}`);
    for (const message of messages) {
      conn.dgramSend(new TextEncoder().encode(message));
    }
  }
  while (conn.dgramRecvQueueLen() > 0) {
    const size = conn.dgramRecv(buffer);
    console.log(new TextDecoder().decode(buffer.subarray(0, size)));
    echoes++;
  }
  if (echoes === messages.length && !isLeaving) {
    isLeaving = true;
    conn.streamSend(CONTROL, GOODBYE, false);
  }
  // The reply to the goodbye (4).
  if (control.length === 14) {
    console.log(`answer ${control.slice(5)}`);
    conn.close(true, 0, new Uint8Array());
    await flush();
    Deno.exit(0);
  }
  const error = conn.peerError();
  if (error !== null) {
    fail(`closed: app ${error.isApp}, code ${error.errorCode}`);
  }
  await turn();
}
