/** How long the datagrams of all benches are, in bytes. */
export const SIZE = 100;

/** A raw Deno socket on loopback, at a port that the system chooses. */
export function rawSocket(): Deno.DatagramConn {
  return Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
}

/** The port of a UDP socket. */
export function portOf({ addr }: { addr: Deno.Addr }): number {
  return (addr as Deno.NetAddr).port;
}

/** Where a port of this machine is. */
export function at(port: number): Deno.NetAddr {
  return { transport: "udp", hostname: "127.0.0.1", port };
}
