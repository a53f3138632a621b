// Wakes a machine: six bytes ff, and sixteen times its hardware address, to
// everybody on the network (AMD's "Magic Packet Technology", publication 20213).
//
//   deno run --allow-net=0.0.0.0,192.0.2.255 examples/protocols/wake_on_lan.ts 192.0.2.255:9 00:00:5e:00:53:01

import { bind } from "@pli/datagram";
import { program } from "./program.ts";

/** Returns the packet for an address such as "00:00:5e:00:53:01". */
export function magicPacket(mac: string): Uint8Array<ArrayBuffer> {
  if (!/^([\da-f]{2}[:-]){5}[\da-f]{2}$/i.test(mac)) {
    throw new Error(`Not a hardware address: ${mac}`);
  }
  const address = Uint8Array.fromHex(mac.replaceAll(/[:-]/g, ""));
  const packet = new Uint8Array(6 + 16 * 6).fill(0xff);
  for (let i = 1; i <= 16; i++) packet.set(address, 6 * i);
  return packet;
}

if (import.meta.main) {
  await program("wake_on_lan.ts HOST:PORT MAC", async (to = "", mac = "") => {
    const packet = magicPacket(mac);
    // A broadcast address is not one peer: `connect` refuses it.
    await using socket = bind("udp://0.0.0.0:0");
    await socket.send(packet, to);
    console.log(`woke ${mac} by ${to}`);
  });
}
