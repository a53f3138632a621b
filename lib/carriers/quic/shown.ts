import type { SchemeAddr } from "../../addr.ts";

/** An address of QUIC's, as datagrams show it: one object for all of a peer's. */
export function shown(
  { hostname, port }: { hostname: string; port: number },
): Readonly<SchemeAddr> {
  return Object.freeze({ transport: "udp", scheme: "quic", hostname, port });
}
