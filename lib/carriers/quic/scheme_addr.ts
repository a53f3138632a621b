import type { NetAddr, SchemeAddr } from "../../addr.ts";

/** Returns the address of a connection's end as a plain object. */
export function quicAddr(
  { hostname, port }: Pick<NetAddr, "hostname" | "port">,
): SchemeAddr {
  return { transport: "udp", scheme: "quic", hostname, port };
}
