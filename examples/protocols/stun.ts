// Asks a STUN server from which address this socket is seen (RFC 8489).
//
//   deno run --allow-net=127.0.0.1 examples/protocols/stun.ts 127.0.0.1:3478

import { connect, escapeControls, formatAddress } from "@pli/datagram";
import { program } from "./program.ts";

const COOKIE = [0x21, 0x12, 0xa4, 0x42];
const [ERROR_CODE, XOR_MAPPED_ADDRESS, SOFTWARE] = [0x9, 0x20, 0x8022];

/** Returns the attributes of a message by type (14), up to one that is cut. */
export function attributes(message: Uint8Array): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  const u16 = (at: number) => message[at]! << 8 | message[at + 1]!;
  for (let at = 20, end; at + 4 <= message.length; at = end + -end % 4 + 4) {
    end = at + 4 + u16(at + 2);
    if (end > message.length) break;
    found.set(u16(at), message.subarray(at + 4, end));
  }
  return found;
}

/** Decodes an address (14.2); `id` is the cookie and the transaction. */
export function mapped(value: Uint8Array, id: number[]): string | undefined {
  const port = (value[2]! ^ id[0]!) << 8 | value[3]! ^ id[1]!;
  const host = value.slice(4).map((byte, i) => byte ^ id[i]!);
  if (value[1] === 1 && host.length === 4) return `${host.join(".")}:${port}`;
  if (value[1] !== 2 || host.length !== 16) return undefined;
  const groups = host.toHex().replace(/(.{4})(?=.)/g, "$1:");
  const address = { transport: "udp", hostname: groups, port } as const;
  return formatAddress(address).slice("udp://".length);
}

if (import.meta.main) {
  await program("stun.ts HOST:PORT", async (server = "") => {
    await using client = await connect(server);
    const id = [...COOKIE, ...crypto.getRandomValues(new Uint8Array(12))];
    const { data } = await client.request(Uint8Array.of(0, 1, 0, 0, ...id), {
      // A response, or an error response, to this transaction.
      match: ({ data }) =>
        data[0] === 1 && (data[1] === 1 || data[1] === 0x11) &&
        id.every((byte, i) => byte === data[4 + i]),
      timeoutMs: 500, // 6.2.1
      retries: 6,
      backoff: { factor: 2, jitter: 0, maxMs: 8000 },
    });
    const found = attributes(data);
    const text = (type: number, from: number) =>
      escapeControls(new TextDecoder().decode(found.get(type)?.slice(from)));
    if (found.has(ERROR_CODE)) throw new Error(text(ERROR_CODE, 4));
    const value = found.get(XOR_MAPPED_ADDRESS);
    const address = value && mapped(value, id);
    if (!address) throw new Error("The response has no address");
    console.log(`${formatAddress(client.addr)} is seen as ${address}`);
    if (found.has(SOFTWARE)) console.log(`by ${text(SOFTWARE, 0)}`);
  });
}
