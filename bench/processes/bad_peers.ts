// Four peers of an echo server that others must not suffer from: one reads
// nothing, one floods, one resets its connections, and one reads slowly. Prints
// a line when all are at work, and goes on until it is ended.
//
//   bad_peers.ts CARRIER PORT [CERT]
import { setPriority } from "node:os";
import { setTimeout } from "node:timers/promises";
import { connect, type ConnectedSocket } from "../../mod.ts";
import {
  type CarrierName,
  CARRIERS,
  type MeasuredCarrier,
} from "../lib/carriers.ts";
import { endAfter } from "../peers/meter.mjs";

const MESSAGE = new Uint8Array(1000).fill(0x61);
// At most: a machine of two cores has little left for the others beyond that.
const FLOOD_PER_MS = 10;
// What is more behind than that is not made up for.
const FLOOD_AT_ONCE = 100;
const RESETS_PER_SECOND = 20;
const READS_PER_SECOND = 100;
const AT_WORK_MS = 1000;

const [name = "", port, cert] = Deno.args;
const { scheme, source }: MeasuredCarrier = CARRIERS[name as CarrierName];
const carrier = source?.(cert === undefined ? {} : { caCerts: [cert] });

endAfter(90);
// Otherwise they would take the processor from the good peer.
setPriority(19);
for (const misbehave of [deaf, flooding, resetting, slow]) again(misbehave);
await setTimeout(AT_WORK_MS);
console.log(true);

/** Connects, misbehaves until the connection ends, and does so again. */
async function again(
  misbehave: (socket: ConnectedSocket) => Promise<void>,
): Promise<never> {
  for (;;) {
    try {
      await using socket = await connect(`${scheme}://127.0.0.1:${port}`, {
        carrier,
      });
      await misbehave(socket);
    } catch {
      // The server has closed the connection.
    }
    await setTimeout(1);
  }
}

/** Sends until the server takes no more, and receives nothing. */
async function deaf(socket: ConnectedSocket): Promise<void> {
  for (;;) await socket.send(MESSAGE);
}

/** Sends ten thousand messages a second, and receives everything. */
async function flooding(socket: ConnectedSocket): Promise<void> {
  const start = performance.now();
  const sending = (async () => {
    for (let sent = 0;;) {
      // A timer of 1 ms takes 2 ms and more.
      const due = (performance.now() - start) * FLOOD_PER_MS;
      for (sent = Math.max(sent, due - FLOOD_AT_ONCE); sent < due; sent++) {
        await socket.send(MESSAGE);
      }
      await setTimeout(1);
    }
  })();
  const receiving = (async () => {
    for (;;) await socket.receive();
  })();
  await Promise.all([sending, receiving]);
}

/** Closes while replies arrive that it does not read, which resets over TCP. */
async function resetting(socket: ConnectedSocket): Promise<void> {
  for (let n = 0; n < 10; n++) await socket.send(MESSAGE);
  await setTimeout(1000 / RESETS_PER_SECOND);
  socket.close();
}

/** Asks for much, and reads a reply now and then. */
async function slow(socket: ConnectedSocket): Promise<void> {
  const asking = deaf(socket);
  const reading = (async () => {
    for (;;) {
      await socket.receive();
      await setTimeout(1000 / READS_PER_SECOND);
    }
  })();
  await Promise.all([asking, reading]);
}
