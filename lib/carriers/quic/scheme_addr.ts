import type { NetAddr, SchemeAddr } from "../../addr.ts";

/** Returns an address as datagrams show it: one object for all of a peer's. */
export function quicAddr(
  { hostname, port }: Pick<NetAddr, "hostname" | "port">,
): Readonly<SchemeAddr> {
  return Object.freeze({ transport: "udp", scheme: "quic", hostname, port });
}
