import type { NetAddr, SchemeAddr } from "../../addr.ts";

/** The scheme of a connection: how its addresses begin. */
export type StreamScheme = "tcp" | "tls";

/** Returns the address of a connection's end as a plain object. */
export function streamAddr(
  { hostname, port }: Pick<NetAddr, "hostname" | "port">,
  scheme: StreamScheme,
): SchemeAddr {
  const addr: SchemeAddr = { transport: "tcp", hostname, port };
  return scheme === "tcp" ? addr : { ...addr, scheme };
}
