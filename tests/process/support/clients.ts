/** What tests of the client share. */
import type { Datagram, DatagramSocket } from "../../../mod.ts";
import { run, type Start } from "./programs.ts";

/** Runs the client, to a socket of the test. */
export function send(
  { addr: { port } }: { addr: Deno.NetAddr },
  args: string[],
  stdin?: Start["stdin"],
) {
  return run("client.ts", ["--to", `127.0.0.1:${port}`, ...args], { stdin });
}

/** Returns the datagrams that have arrived. */
export async function receiveAll(socket: DatagramSocket): Promise<Datagram[]> {
  const datagrams = [];
  let datagram;
  while ((datagram = await socket.tryReceive()) !== undefined) {
    datagrams.push(datagram);
  }
  return datagrams;
}

/** Returns the texts of the datagrams that have arrived. */
export async function textsAt(socket: DatagramSocket): Promise<string[]> {
  return (await receiveAll(socket)).map((datagram) => datagram.text());
}
