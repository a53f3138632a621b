/** The size of a datagram if a group measures only one, in bytes. */
export const SIZE = 100;

/** Opens a bare Deno socket at a port that the system chooses. */
export function rawSocket(hostname = "127.0.0.1"): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
}

/** Returns the port of a socket. */
export function portOf({ addr }: { addr: Deno.Addr }): number {
  return (addr as Deno.NetAddr).port;
}

/** Returns the address of a port of this machine. */
export function at(port: number): Deno.NetAddr {
  return { transport: "udp", hostname: "127.0.0.1", port };
}
