// Sends a file in numbered datagrams, through a relay that loses a fifth of them.
// The receiver asks for those that are missing, again and again.
//
//   deno run --allow-net=127.0.0.1 --allow-read=. examples/file_transfer.ts [FILE]

import { bind, connect, errors } from "@pli/datagram";
import type { ConnectedSocket, DatagramSocket } from "@pli/datagram";
import { startRelay } from "@pli/datagram/testing";

const SIZE = 1000;
const HEAD = 8; // The number of the piece, and how many there are.
const AT_ONCE = 64;

/** Sends the pieces of a file that are asked for, in one run. */
async function offer(file: Uint8Array<ArrayBuffer>, socket: DatagramSocket) {
  const total = Math.max(1, Math.ceil(file.length / SIZE));
  for await (const { data, from } of socket) {
    const asked = [...new Uint32Array(data.slice().buffer)];
    const pieces = asked.filter((n) => n < total).flatMap((n) => [
      Uint32Array.of(n, total),
      file.subarray(n * SIZE, (n + 1) * SIZE),
    ]);
    await socket.sendRun(await new Blob(pieces).bytes(), HEAD + SIZE, from);
  }
}

/** Asks for the pieces of a file until none is missing. */
async function download(client: ConnectedSocket): Promise<Blob> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for (let total = 1, missing = [0]; missing.length > 0;) {
    const asked = Uint32Array.from(missing.slice(0, AT_ONCE));
    await client.send(new Uint8Array(asked.buffer));
    let left = asked.length;
    try {
      for await (const run of client.runs({ timeoutMs: 50 })) {
        for (const bytes of run) {
          const head = new Uint32Array(bytes.slice(0, HEAD).buffer);
          pieces[head[0]!] = bytes.subarray(HEAD);
          total = head[1]!;
        }
        if ((left -= run.count) <= 0) break;
      }
    } catch (error) {
      if (!(error instanceof errors.TimedOut)) throw error;
    }
    missing = [...Array(total).keys()].filter((n) => !(n in pieces));
  }
  return new Blob(pieces);
}

const file = await Deno.readFile(Deno.args[0] ?? "README.md");
await using socket = bind("udp://127.0.0.1:0");
const { addr: to } = socket;
await using relay = startRelay({ listen: "udp://127.0.0.1:0", to, loss: 0.2 });
await using client = await connect(relay.addr);
offer(file, socket);
const copy = await (await download(client)).bytes();
const isWhole = copy.toHex() === file.toHex();
console.log(copy.length, isWhole, relay.stats.down.lost); // 3000 true 1
