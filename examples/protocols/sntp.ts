// Asks a time server how far the clock of this machine is off (SNTP, RFC 4330).
//
//   deno run --allow-net=127.0.0.1 examples/protocols/sntp.ts 127.0.0.1:123

import { connect, type Datagram, errors, escapeControls } from "@pli/datagram";
import { program } from "./program.ts";

const viewOf = ({ buffer, byteOffset, length }: Uint8Array) =>
  new DataView(buffer, byteOffset, length);
const now = () => (performance.timeOrigin + performance.now()) / 1000;

/** Reads a timestamp as seconds since 1970; the next era begins in 2036 (3). */
function timestamp(view: DataView, at: number): number {
  const seconds = view.getUint32(at);
  const era = seconds < 2 ** 31 ? 2 ** 32 : 0;
  return era + seconds - 2_208_988_800 + view.getUint32(at + 4) / 2 ** 32;
}

if (import.meta.main) {
  await program("sntp.ts HOST:PORT", async (server = "") => {
    await using client = await connect(server);
    // A version 4 client. Instead of a time it sends a nonce, which the reply
    // repeats: nobody learns our clock or can guess it. Each attempt has its own,
    // so that the delay is that of the attempt that was answered.
    for (let timeoutMs = 1000;; timeoutMs *= 2) {
      const nonce = crypto.getRandomValues(new Uint8Array(8));
      const packet = Uint8Array.of(0x23, ...new Uint8Array(39), ...nonce);
      const match = ({ data }: Datagram) =>
        data.length >= 48 && (data[0]! & 7) === 4 &&
        nonce.every((byte, i) => byte === data[24 + i]);
      const sent = now();
      try {
        const { data } = await client.request(packet, { match, timeoutMs });
        return show(viewOf(data), sent, now());
      } catch (error) {
        if (!(error instanceof errors.TimedOut) || timeoutMs > 4000) {
          throw error;
        }
      }
    }
  });
}

function show(reply: DataView, sent: number, arrived: number): void {
  const [flags, stratum] = [reply.getUint8(0), reply.getUint8(1)];
  const source = new Uint8Array(reply.buffer, reply.byteOffset + 12, 4);
  if (stratum === 0) { // A kiss of death (8): do not ask this server again.
    const code = new TextDecoder().decode(source);
    throw new Error(escapeControls(`The server refuses: ${code}`));
  }
  if (flags >> 6 === 3) throw new Error("The server's clock is not set");
  const [came, left] = [timestamp(reply, 32), timestamp(reply, 40)];
  const offset = (came - sent + left - arrived) / 2; // 5
  const delay = arrived - sent - (left - came);
  const time = new Date(left * 1000).toISOString();
  console.log(`${time}  stratum ${stratum}`);
  console.log(`offset ${offset.toFixed(6)} s, delay ${delay.toFixed(6)} s`);
}
